/** Where the container's small services listen; numbers as RFC 862 and 864 have them where they do. */

/** Gives back what it gets. */
export const ECHO_PORT = 7;
/** Answers every HTTP request with a few bytes. */
export const HTTP_PORT = 80;
/** Writes for as long as somebody reads. */
export const FIREHOSE_PORT = 19;
/** Says one byte as soon as somebody connects. */
export const GREET_PORT = 21;
