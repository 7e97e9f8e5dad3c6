// The rules of the house, each a function of one file's lines. They read text, not syntax: what they miss is rare, and what
// they find is told with file and line.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { objection, readLayers } from './layers.mjs';

const MAXIMUM_LINES = 800;
const LEFT_OPEN = /\b(TODO|FIXME|XXX)\b|\b[Nn]ot (yet )?implemented\b/;
const SOURCE_ENDINGS = ['.cc', '.h', '.ts'];

/** Every objection to the tree below `root`, as { file, line, message }. */
export function findObjections(root) {
  const found = [];
  const native = readTree(root, 'native');
  const src = readTree(root, 'src');
  const nativeLayers = readLayers(join(root, 'native/layers.txt'));
  const srcLayers = readLayers(join(root, 'src/layers.txt'));
  for (const file of native) {
    found.push(...layersOfIncludes(file, nativeLayers), ...nodeApiOutsideAddon(file));
  }
  found.push(...sendfileInOnePlace(native), ...ownNamesOnce(native));
  for (const file of src) found.push(...layersOfImports(file, srcLayers));
  for (const file of [...native, ...src]) found.push(...tooLong(file), ...leftOpen(file));
  return found;
}

function readTree(root, top) {
  const files = [];
  for (const entry of readdirSync(join(root, top), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !SOURCE_ENDINGS.some((ending) => entry.name.endsWith(ending))) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files.push({ path: relative(root, path), lines: readFileSync(path, 'utf8').split('\n') });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** native/log/segment.h -> log; files directly in native/ or src/ belong to no layer. */
function layerOf(path) {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1] : undefined;
}

function layersOfIncludes(file, layers) {
  const from = layerOf(file.path);
  return each(file, /^\s*#\s*include\s+"([^"]+)"/, ([, included]) => {
    const to = included.includes('/') ? included.split('/')[0] : undefined;
    if (to === undefined || to === '.' || to === '..') return `include "${included}" by its path below native/, as "base/result.h"`;
    return objection(layers, from ?? 'native', to);
  });
}

const NODE_API = /^\s*#\s*include\s+[<"](node_api|js_native_api|napi|node|v8|uv)\.h[>"]/;

function nodeApiOutsideAddon(file) {
  if (layerOf(file.path) === 'addon') return [];
  return each(file, NODE_API, ([, header]) => `${header}.h is for native/addon only: the engine builds without Node`);
}

function sendfileInOnePlace(files) {
  const calls = files.flatMap((file) => each(file, /(?<![\w.>])(?:::)?sendfile(?:64)?\s*\(/, () => 'call', { skipComments: true }));
  const places = [...new Set(calls.map((call) => call.file))];
  const home = places.find((path) => path.startsWith('native/io/'));
  return calls
    .filter((call) => call.file !== home)
    .map((call) => ({ ...call, message: `sendfile is called in one file of native/io only${home ? `: ${home}` : ''}` }));
}

const OWN_NAME = /^(?:(?:inline|static)\s+)?constexpr\s+[\w:<>, *]+?\s+(\w+)(?:\[\w*\])*\s*[={]|^(?:struct|class|enum class)\s+(\w+)(?!.*;\s*$)/;

/** What lies in the unnamed namespaces of a layer: builds with sanitizers compile several of its files as one. */
function ownNamesOnce(files) {
  const firsts = new Map();
  const found = [];
  for (const file of files) {
    if (layerOf(file.path) === undefined || !file.path.endsWith('.cc')) continue;
    const open = [];
    file.lines.forEach((line, index) => {
      const opened = /^namespace\b\s*([\w:]*)\s*\{/.exec(line);
      if (opened) open.push(opened[1]);
      if (/^\}\s*\/\/ namespace/.test(line)) open.pop();
      const match = open.at(-1) === '' ? OWN_NAME.exec(line) : null;
      if (!match) return;
      const name = match[1] ?? match[2];
      const key = [layerOf(file.path), ...open, name].join(' ');
      const first = firsts.get(key);
      if (first === undefined) firsts.set(key, file.path);
      else found.push({ file: file.path, line: index + 1, message: `${name} is also in ${first}, and builds with sanitizers compile both at once: share it, or give it a name of its own` });
    });
  }
  return found;
}

const IMPORT = /^\s*(?:import|export)\b[^'"]*\bfrom\s+['"]([^'"]+)['"]|^\s*\}\s*from\s+['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)|^\s*import\s+['"]([^'"]+)['"]/;

function layersOfImports(file, layers) {
  const from = layerOf(file.path);
  return each(file, IMPORT, (match) => {
    const imported = match.slice(1).find((part) => part !== undefined);
    if (!imported.startsWith('.')) return undefined;
    const target = normalize(join(dirname(file.path), imported));
    if (!target.startsWith('src/')) return `${imported} lies outside src/, and only what lies in src/ is shipped`;
    // src/index.ts and its like are the package's face: they may use every layer, and no layer uses them.
    if (from === undefined) return undefined;
    const to = layerOf(target);
    if (to === undefined) return `${from} may not use ${target.replace(/\.js$/, '.ts')}: what lies directly in src/ is for the package's users`;
    return objection(layers, from, to);
  });
}

function tooLong(file) {
  const count = file.lines.length - (file.lines.at(-1) === '' ? 1 : 0);
  if (count <= MAXIMUM_LINES) return [];
  return [{ file: file.path, line: count, message: `${count} lines, and a file has at most ${MAXIMUM_LINES}: divide it` }];
}

function leftOpen(file) {
  return each(file, LEFT_OPEN, ([mark]) => `'${mark}': do it, or write down in docs/skipped.md that it is left out`);
}

function each(file, pattern, judge, { skipComments = false } = {}) {
  const found = [];
  file.lines.forEach((line, index) => {
    const code = skipComments ? line.replace(/\/\/.*/, '') : line;
    const match = pattern.exec(code);
    const message = match && judge(match);
    if (message) found.push({ file: file.path, line: index + 1, message });
  });
  return found;
}
