import { root } from '../build/paths.mjs';
import { StepError } from '../build/report.mjs';
import { findObjections } from './rules.mjs';

/** Throws with every objection when the sources break a rule of the house. */
export function requireHouse(at = root) {
  const found = findObjections(at);
  if (found.length === 0) return;
  throw new StepError(`${found.length} ${found.length === 1 ? 'place breaks' : 'places break'} the rules of native/layers.txt, src/layers.txt and scripts/house/rules.mjs`, {
    tail: found.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'),
  });
}
