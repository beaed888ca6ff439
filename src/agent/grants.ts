/** The setting that says who may do what on this host, beside its owner. */

import { z } from "zod";
import { digest } from "../auth/secret.ts";
import { MAX_TOKEN_LENGTH, MIN_TOKEN_LENGTH, TOKEN } from "../auth/tokens.ts";
import { setting } from "../boot/setting.ts";
import { data } from "../boot/value.ts";
import { HIDDEN } from "../lib/secret.ts";
import { RIGHTS, Right, Scope } from "../protocol/rights.ts";

const TOKEN_WORDS = `must be ${MIN_TOKEN_LENGTH} to ${MAX_TOKEN_LENGTH} letters, digits and ._~+/-, and at the end =`;

const Token = z
  .string()
  .regex(TOKEN, TOKEN_WORDS)
  .min(MIN_TOKEN_LENGTH, TOKEN_WORDS)
  .max(MAX_TOKEN_LENGTH, TOKEN_WORDS);

const GrantEntry = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be letters, digits and ._- (at most 64)"),
    token: Token.optional(),
    token_sha256: z
      .string()
      .toLowerCase()
      .length(64)
      .regex(/^[0-9a-f]+$/, "must be 64 hexadecimal digits")
      .optional(),
    rights: z.array(Right).min(1),
    scopes: z.array(Scope).default([]),
  })
  .refine(
    ({ token, token_sha256 }) => (token === undefined) !== (token_sha256 === undefined),
    "needs one of token and token_sha256",
  )
  .transform(({ token, token_sha256: hash = digest(token ?? "").toString("hex"), ...rest }) => ({
    ...rest,
    token_sha256: hash,
  }));

const Grants = z
  .array(GrantEntry)
  .max(1000)
  .refine((grants) => distinct(grants.map(({ name }) => name)), "two grants have the same name")
  .refine((grants) => distinct(grants.map(({ token_sha256 }) => token_sha256)), "two grants have the same token");

export const GRANTS_SETTING = setting({
  type: data(
    Grants,
    `a list of {name, token or token_sha256, rights, scopes}; rights are ${RIGHTS.join(" ")}; scopes are maps of container labels`,
    (grants) => grants.map((grant) => ({ ...grant, token_sha256: HIDDEN })),
  ),
  default: [],
  effect:
    "Who may do what, beside the agent's own token: each entry gives the holder of a token rights on the containers that match any of its scopes (no scopes: all of them; an empty label value: any). Whoever has exec, attach-rw, copy-in or host-shell can become root here. A change in a file holds within seconds, without a restart: who is taken out, or has other rights, is signed out and his sessions end.",
  secret: (raw) => /"?\btoken"?\s*:/.test(typeof raw === "string" ? raw : JSON.stringify(raw)),
});

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
