/** Where the page's own server is: beside the page, which may stand below a path of a reverse proxy's. */

/** `path` is the server's own and begins with a slash. */
export function addressOf(path: string): URL {
  return new URL(`.${path}`, location.href);
}
