// Reads what callgrind dumps (names in full: --compress-strings=no).

/**
 * What one dump counted in the functions wanted, their callees not included, and the name that the program gave it. A cost line behind `calls=` is
 * the callee's and is left out.
 */
export function countsOf(dump, isWanted) {
  const name = /^desc: Trigger: Client Request: (.*)$/m.exec(dump)?.[1];
  let isCounted = false;
  let isCall = false;
  let instructions = 0;
  for (const line of dump.split('\n')) {
    if (line.startsWith('fn=')) {
      isCounted = isWanted(line.slice('fn='.length));
    } else if (line.startsWith('calls=')) {
      isCall = true;
    } else if (/^[+\-*\d]/.test(line)) {
      const cost = Number(line.split(' ')[1]);
      if (isCounted && !isCall && Number.isFinite(cost)) instructions += cost;
      isCall = false;
    }
  }
  return { name, instructions };
}
