// Runs inside the sandbox: a reporter for node --test that tells what became of each test (see sandbox/test_runners/run.py).
// It lives in the process that starts the test files, each of which has a process of its own.

import { readFileSync } from "node:fs";
import { relative } from "node:path";

const { nonce, workspace } = JSON.parse(readFileSync(0, "utf8"));

function frame(...value) {
  const ascii = JSON.stringify(value).replace(/[\u007f-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  return `\n${nonce} ${ascii}\n`;
}

/** What a reader wants to know of a failure: the innermost error, as a test runner wraps what a test threw. */
function said(error) {
  return String(error?.cause?.message ?? error?.message ?? error);
}

export default async function* report(events) {
  const above = new Map(); // of each file the titles of the running test and of those around it
  yield frame("ready");
  for await (const { type, data } of events) {
    if (type === "test:stdout" || type === "test:stderr") yield data.message;
    const file = relative(workspace, data.file ?? "");
    if (!above.has(file)) above.set(file, []);
    const titles = above.get(file);
    if (type === "test:start") titles.splice(data.nesting, Infinity, data.name);
    if (type !== "test:pass" && type !== "test:fail") continue;
    const passed = type === "test:pass" && data.skip === undefined && data.todo === undefined;
    const name = [...titles.slice(0, data.nesting), data.name].join(" > ");
    // A suite is no test; when one fails, the runner's status tells.
    if (data.details.type !== "suite") yield frame("test", `${file}::${name}`, passed);
    yield `${passed ? "ok" : "not ok"}: ${file}: ${name}\n`;
    if (data.details.error) yield `    ${said(data.details.error)}\n`;
  }
  yield frame("finished");
}
