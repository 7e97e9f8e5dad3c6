// The grammar of layers.txt and what it allows. `a: b c` reads "files of a may use b and c (and a)".
import { readFileSync } from 'node:fs';

export function readLayers(path) {
  const layers = new Map();
  const text = readFileSync(path, 'utf8');
  text.split('\n').forEach((raw, index) => {
    const line = raw.replace(/#.*/, '').trim();
    if (line === '') return;
    const match = /^([\w-]+):((?:\s+[\w-]+)*)$/.exec(line);
    if (!match) throw new Error(`${path}:${index + 1}: '${line}' is not of the form 'layer: layer layer'`);
    if (layers.has(match[1])) throw new Error(`${path}:${index + 1}: the layer ${match[1]} stands there twice`);
    layers.set(match[1], new Set(match[2].split(/\s+/).filter(Boolean)));
  });
  for (const [layer, allowed] of layers) {
    for (const name of allowed) {
      if (!layers.has(name)) throw new Error(`${path}: ${layer} may use ${name}, but ${name} is not a layer`);
    }
  }
  return layers;
}

/** Why a file of layer `from` may not use layer `to`; undefined when it may. */
export function objection(layers, from, to) {
  if (from === to) return undefined;
  const allowed = layers.get(from);
  if (!allowed) return `${from} is not a layer: name it in layers.txt, with what it may use`;
  if (!layers.has(to)) return `${to} is not a layer: name it in layers.txt, with what it may use`;
  if (allowed.has(to)) return undefined;
  const names = [...allowed];
  const may = names.length === 0 ? `${from} may use nothing but itself` : `${from} may use ${names.join(', ')}`;
  return layers.get(to).has(from) ? `${may}: turn the arrow round, or move the code to a layer both may use` : may;
}
