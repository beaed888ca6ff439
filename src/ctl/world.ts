/** What the program finds around it. Only main.ts holds the real one, so everything else can be told what to use. */

export type World = Pick<NodeJS.Process, "env" | "stdin" | "stdout" | "stderr" | "on" | "off">;
