/** The terminal's colours, dark and light, as the reader's system asks for them. */

import type { ITheme } from "@xterm/xterm";

const DARK_QUERY = "(prefers-color-scheme: dark)";

const DARK: ITheme = {
  background: "#11161b",
  foreground: "#d7dde3",
  cursor: "#5eead4",
  cursorAccent: "#11161b",
  selectionBackground: "#33506a",
  black: "#1d242b",
  red: "#f0787f",
  green: "#7fc995",
  yellow: "#e2bd6d",
  blue: "#79b0f2",
  magenta: "#c796e8",
  cyan: "#62c7cb",
  white: "#c3cad1",
  brightBlack: "#74808b",
  brightRed: "#ff9ba0",
  brightGreen: "#a3e0b4",
  brightYellow: "#f3d894",
  brightBlue: "#a3cbff",
  brightMagenta: "#dcb8f5",
  brightCyan: "#90e0e2",
  brightWhite: "#f4f7f9",
};

const LIGHT: ITheme = {
  background: "#fdfdfc",
  foreground: "#22292f",
  cursor: "#0f766e",
  cursorAccent: "#fdfdfc",
  selectionBackground: "#bcd9f5",
  black: "#22292f",
  red: "#b3261e",
  green: "#1a7438",
  yellow: "#8a5a00",
  blue: "#1a5fb4",
  magenta: "#8a3ab9",
  cyan: "#0b7285",
  white: "#65717c",
  brightBlack: "#57626c",
  brightRed: "#c93c34",
  brightGreen: "#23843f",
  brightYellow: "#946300",
  brightBlue: "#2f6fc4",
  brightMagenta: "#9a4fc7",
  brightCyan: "#147e92",
  brightWhite: "#3a444d",
};

/** Calls back now and at every change, until the function it returns is called. */
export function followTheme(use: (theme: ITheme) => void): () => void {
  const query = matchMedia(DARK_QUERY);
  const tell = () => use(query.matches ? DARK : LIGHT);
  tell();
  query.addEventListener("change", tell);
  return () => query.removeEventListener("change", tell);
}
