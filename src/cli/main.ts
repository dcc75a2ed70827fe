#!/usr/bin/env node
// Nothing is imported before this is known: libraries fail to load in an older Node, with a message that helps nobody.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 19)) await import('./process.ts');
else {
  console.error(`error: clusterset needs Node 22.19 or newer, and this is ${process.versions.node}`);
  process.exitCode = 1;
}
