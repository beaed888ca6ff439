/** The package is installed under its first name, but its types still speak of the name it is published under. */

declare module "node-pty" {
  export * from "@lydell/node-pty";
}
