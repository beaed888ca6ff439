/** Figures that are looked up when somebody asks for them, and cost nothing meanwhile. */

import { Counter, Gauge, type Registry } from "prom-client";

export interface Figure {
  name: string;
  help: string;
  labels?: readonly string[];
}

/** One number, or one for each combination of labels. */
export type Reading = number | readonly (readonly [labels: Record<string, string>, value: number])[];

export class Figures {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** What is so now. */
  gauge(figure: Figure, read: () => Reading | Promise<Reading>): void {
    this.#add(Gauge, figure, read);
  }

  /** What it has come to since the program began; `read` never gives less than before. */
  counter(figure: Figure, read: () => Reading | Promise<Reading>): void {
    this.#add(Counter, figure, read);
  }

  #add(
    Kind: typeof Gauge | typeof Counter,
    { name, help, labels = [] }: Figure,
    read: () => Reading | Promise<Reading>,
  ): void {
    const metric = new Kind<string>({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      async collect() {
        // One that cannot be read now is left out: the others are still true.
        const reading = await (async () => read())().catch(() => []);
        if (labels.length > 0) metric.reset();
        else metric.remove();
        for (const [of, value] of typeof reading === "number" ? [[{}, reading] as const] : reading)
          metric.inc(of, value);
      },
    });
  }
}
