// Shared by the Node programs: where the targets are, and how an attempt is told.

import fs from 'node:fs';

setTimeout(() => process.exit(0), 60_000).unref(); // no program outlives a minute, whatever the sandbox does

export const target = (name) => process.env[`TARGET_${name}`];
export const say = (text) => fs.writeSync(1, `${text}\n`);

// Do what must fail.
export async function attempt(what, action) {
  try {
    const result = await action();
    say(`GOT THROUGH: ${what}: ${result}`);
    return result;
  } catch (error) {
    say(`refused: ${what}: ${error?.code ?? error}`);
    return undefined;
  }
}

// Read what may be readable, and tell the secrets in it: they alone count.
export async function look(what, action) {
  try {
    say(`looked: ${what}: ${String(await action()).match(/CANARY-[0-9a-f]+/g) ?? ''}`);
  } catch (error) {
    say(`refused: ${what}: ${error?.code ?? error}`);
  }
}

// Do what may or may not work: only its effect counts.
export function quietly(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

// Tell how much is held at this moment.
export const held = (megabytes) => say(`held: ${megabytes} MB`);

// The last words of a program that has tried everything it wanted to try.
export const done = () => say('done');
