// `npm start`: builds what is not built, then becomes the broker, in this very process, so that signals need no messenger.
import { fail } from './build/report.mjs';
import { prepare } from './build/prepare.mjs';

let isPrepared = false;
try {
  await prepare();
  isPrepared = true;
} catch (error) {
  fail(error);
}
if (isPrepared) {
  const { main } = await import('../dist/sluice.mjs');
  await main(process.argv.slice(2));
}
