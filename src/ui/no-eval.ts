/** Imported before anything that makes a schema: zod would try whether it may compile code, and the content policy would report that. */

import { config } from "zod";

config({ jitless: true });
