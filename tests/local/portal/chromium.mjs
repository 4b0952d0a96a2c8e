// Unpacks the Chromium that the npm package @sparticuz/chromium carries, and writes a launcher for it:
//   node tests/local/portal/chromium.mjs <launcher>
// Does nothing where a browser is installed, or on systems that the package isn't built for.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const PACKAGE = join("node_modules", "@sparticuz", "chromium", "bin");
const launcher = process.argv[2];

const isInstalled = (process.env.PATH ?? "")
  .split(":")
  .some((folder) => folder !== dirname(launcher) && NAMES.some((name) => existsSync(join(folder, name))));
const isBuiltFor = process.platform === "linux" && process.arch === "x64" && existsSync(PACKAGE);
const folder = join(process.cwd(), "node_modules", ".chromium");
// `npm ci` empties node_modules, and then the launcher leads nowhere.
const isUnpacked = existsSync(launcher) && existsSync(join(folder, "chromium"));
if (!isInstalled && isBuiltFor && !isUnpacked) install(folder);

function install(folder) {
  mkdirSync(folder, { recursive: true });
  const binary = join(folder, "chromium");
  writeFileSync(binary, unpacked("chromium.br"));
  chmodSync(binary, 0o755);
  for (const name of ["swiftshader", "al2023", "fonts"]) {
    execFileSync("tar", ["-xf", "-", "-C", folder], { input: unpacked(`${name}.tar.br`) });
  }
  const lines = ["#!/bin/sh"];
  // The system's own libraries and fonts are better, where they are there.
  if (lacksLibraries(binary)) lines.push(`export LD_LIBRARY_PATH="${join(folder, "lib")}"`);
  if (lacksFonts()) lines.push(`export FONTCONFIG_PATH="${fontConfiguration(folder)}"`);
  writeFileSync(launcher, [...lines, `exec "${binary}" "$@"`, ""].join("\n"));
  chmodSync(launcher, 0o755);
}

function unpacked(name) {
  return brotliDecompressSync(readFileSync(join(PACKAGE, name)));
}

function lacksLibraries(binary) {
  return execFileSync("ldd", [binary], { encoding: "utf8" }).includes("not found");
}

function lacksFonts() {
  return !existsSync("/usr/share/fonts") || readdirSync("/usr/share/fonts").length === 0;
}

function fontConfiguration(folder) {
  const text = `<?xml version="1.0"?><fontconfig><dir>${join(folder, "fonts")}</dir><cachedir>${folder}/cache</cachedir></fontconfig>`;
  writeFileSync(join(folder, "fonts.conf"), text);
  return folder;
}
