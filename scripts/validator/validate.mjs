// node validate.mjs [--json] FILE…
//
// Runs the Khronos glTF validator and prints one line a file, then the plain closing line. A file with an error fails;
// warnings and hints are counted and, with --verbose, shown. `--json` prints the counts for programs instead.
import { readFile } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { validateBytes } from "gltf-validator";

const SHOWN_MESSAGES = 5;
const args = process.argv.slice(2);
const json = args.includes("--json");
const verbose = args.includes("--verbose");
const files = args.filter((arg) => !arg.startsWith("--"));

if (files.length === 0) {
  console.error("usage: node validate.mjs [--json] [--verbose] FILE…");
  process.exit(2);
}

/** External buffers and images, from the file's own folder and below only. */
function neighbour(file) {
  const folder = dirname(resolve(file));
  return async (uri) => {
    const path = resolve(folder, decodeURIComponent(uri));
    if (!path.startsWith(folder + sep)) throw new Error(`${uri} is outside of the folder`);
    return new Uint8Array(await readFile(path));
  };
}

async function validate(file) {
  try {
    const bytes = new Uint8Array(await readFile(file));
    const report = await validateBytes(bytes, {
      uri: file,
      maxIssues: 1000,
      externalResourceFunction: neighbour(file),
    });
    const { numErrors, numWarnings, numInfos, numHints, messages, truncated } = report.issues;
    return { file, errors: numErrors, warnings: numWarnings, infos: numInfos, hints: numHints, truncated, messages };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { file, errors: 1, warnings: 0, infos: 0, hints: 0, messages: [{ severity: 0, code: "UNREADABLE", message }] };
  }
}

const results = [];
for (const file of files) {
  const result = await validate(file);
  results.push(result);
  if (json) continue;
  console.log(`${result.errors === 0 ? "ok  " : "FAIL"} ${file}: ${result.errors} errors, ${result.warnings} warnings`);
  const worst = verbose ? 3 : 0;
  const shown = result.messages.filter((message) => message.severity <= worst).slice(0, SHOWN_MESSAGES);
  for (const { code, message, pointer } of shown) console.log(`       ${code} ${pointer ?? ""} ${message}`);
}

const failed = results.filter((result) => result.errors > 0).length;
if (json) {
  console.log(JSON.stringify(results.map(({ messages, ...counts }) => ({ ...counts, codes: countCodes(messages) })), null, 1));
} else {
  console.log(`\n${results.length - failed} passed, ${failed} failed, 0 skipped`);
}
process.exitCode = failed === 0 ? 0 : 1;

/** How often each message code appears. */
function countCodes(messages) {
  const codes = {};
  for (const { code } of messages) codes[code] = (codes[code] ?? 0) + 1;
  return codes;
}
