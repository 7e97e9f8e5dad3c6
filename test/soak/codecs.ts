import { codecCount, mutateCodecs } from '../support/codec-mutation.js';
import { Random } from '../support/random.js';
import { type SoakOptions } from './options.js';

export async function soakCodecs({ seed, minutes }: SoakOptions): Promise<void> {
  console.log(`codecs: ${codecCount} for ${minutes} minutes, --seed ${seed}`);
  const end = performance.now() + minutes * 60_000;
  const { inputs, refused } = mutateCodecs(new Random(seed), (done) => done % 512 === 0 && performance.now() >= end);
  console.log(`codecs: ${inputs} damaged inputs, ${refused} refused, nothing else; at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`);
}
