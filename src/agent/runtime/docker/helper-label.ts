/** The label of the agent's own short-lived containers: whoever lists containers, or hears what happens to them, is not told of these. */

const LABEL = "fairlead.helper";

/** What a helper container is for. */
export function helperLabels(purpose: "dial" | "kill"): Record<string, string> {
  return { [LABEL]: purpose };
}

/** `labels` as the engine has them in lists, details and events. */
export function isHelper(labels: object | null | undefined): boolean {
  return Object.hasOwn(labels ?? {}, LABEL);
}
