/** What the program finds around it. Only main.ts holds the real one, so everything else can be told what to use. */

export type World = Pick<NodeJS.Process, "env" | "pid" | "stdin" | "stdout" | "stderr" | "on" | "off" | "kill">;
