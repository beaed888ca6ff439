/** What an answer of JSON Merge Patches makes, line by line. */

import { readNdjson } from "../../src/protocol/ndjson.ts";
import { patched } from "../../src/lib/merge-patch.ts";

/** The document after each line. The answer ends with the signal that it was asked with. */
export async function* documents<T>(answer: Response): AsyncGenerator<T, void, void> {
  let document: unknown;
  for await (const line of readNdjson((answer.body ?? new ReadableStream()) as AsyncIterable<Uint8Array>)) {
    document = patched(document, line);
    yield document as T;
  }
}

/** The first document that is as wanted. */
export async function documentWith<T>(answer: Response, wanted: (document: T) => boolean): Promise<T> {
  for await (const document of documents<T>(answer)) if (wanted(document)) return document;
  throw new Error("the answer ended before it came to that");
}
