/** How a program comes by a token of the server: with a one-time code, or by somebody who approves it elsewhere. */

import * as z from "zod/mini";
import { Right, Scope } from "./rights.ts";

export const LOGIN_PATH = "/api/v1/login";
export const DEVICE_PATH = "/api/v1/login/device";
export const DEVICE_TOKEN_PATH = "/api/v1/login/device/token";
export const APPROVE_PATH = "/api/v1/login/approve";
export const ASKED_PATH = "/api/v1/login/asked";
export const REFUSE_PATH = "/api/v1/login/refuse";
/** Before the code or the device's secret in the Authorization header. */
export const LOGIN_SCHEME = "Login";

/** Whose tokens they are, for people: `alice@laptop`. */
export const TokenName = z
  .string()
  .check(
    z.regex(
      /^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/,
      "must be letters, digits and ._@- (at most 100, a letter or digit first)",
    ),
  );

/** What the token is for; it is shown where it is approved and where tokens are listed. */
export const LoginRequest = z.strictObject({ name: TokenName });

export const LoginReply = z.object({
  token: z.string(),
  /** As the server knows it: the name that was asked for, and something that makes it unique. */
  name: z.string(),
  rights: z.array(z.string()),
  /** Milliseconds since 1970. */
  expires: z.optional(z.number()),
});
export type LoginReply = z.infer<typeof LoginReply>;

export const DeviceReply = z.object({
  /** Secret of whoever asked; it fetches the token. */
  device: z.string(),
  /** For the person who approves. */
  code: z.string(),
  expires: z.number(),
  /** Milliseconds between two questions. */
  interval: z.number(),
});
export type DeviceReply = z.infer<typeof DeviceReply>;

export const PendingReply = z.object({ pending: z.literal(true) });
export const ApproveRequest = z.strictObject({ code: z.string().check(z.minLength(1), z.maxLength(64)) });

/** Who waits with that code, for the person who decides. */
export const AskedReply = z.object({
  name: z.string(),
  /** As the server typed it: to compare with what the program shows. */
  code: z.string(),
  /** From where. */
  address: z.string(),
  /** Milliseconds since 1970. */
  asked: z.number(),
});
export type AskedReply = z.infer<typeof AskedReply>;

/** A token that the server knows. */
export const TokenView = z.object({
  name: z.string(),
  rights: z.array(Right),
  scopes: z.array(Scope),
  /** Names of hosts; absent: all of them. */
  nodes: z.optional(z.array(z.string())),
  created: z.number(),
  expires: z.optional(z.number()),
  /** Who made it. */
  by: z.string(),
});
export type TokenView = z.infer<typeof TokenView>;

export const TokenList = z.object({ tokens: z.array(TokenView) });

const MAX_LIFETIME = 366 * 86_400_000;

export const TokenRequest = z.strictObject({
  name: TokenName,
  rights: z.array(Right).check(z.minLength(1, "must name at least one"), z.maxLength(32)),
  /** None: every container. */
  scopes: z.optional(z.array(Scope).check(z.maxLength(32))),
  nodes: z.optional(
    z.array(z.string().check(z.minLength(1), z.maxLength(253))).check(z.minLength(1), z.maxLength(256)),
  ),
  /** Milliseconds; absent: until it is withdrawn. */
  lifetime: z.optional(z.int().check(z.minimum(1_000), z.maximum(MAX_LIFETIME))),
});
export type TokenRequest = z.infer<typeof TokenRequest>;
