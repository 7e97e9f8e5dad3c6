// The sides in turn: bare, A B, bare, B A. Each broker is started fresh, warmed, and goes through the workloads that share it; those that want a
// broker of their own follow.
import { Effort } from '../suite/effort.js';
import { type Client, type Measurement } from '../suite/measurement.js';
import { say } from '../suite/progress.js';
import { BareTarget } from './bare.js';
import { type BrokerSide, BrokerTarget } from './broker-target.js';
import { type MemoryFiller } from './page-cache.js';
import { type Stage, type Workload } from './stage.js';
import { type Target } from './target.js';
import { warmUp } from './warm-up.js';

const BARE_SHARE = 0.3;
const WARM_UP_SECONDS = 50;

export interface Plan {
  readonly workloads: readonly Workload[];
  readonly sides: readonly BrokerSide[];
  readonly rounds: number;
  readonly effort: Effort;
  readonly clients: ReadonlySet<Client>;
  readonly memory: MemoryFiller;
  readonly properties: Readonly<Record<BrokerSide, Readonly<Record<string, string>>>>;
  add(measurement: Measurement): void;
  /** A workload that came to no end on a side. The others go on. */
  fail(what: string): void;
}

function stageOf(plan: Plan, target: Target, broker: BrokerTarget | undefined, workload: Workload, turn: number): Stage {
  return {
    target, broker, turn,
    effort: plan.effort,
    clients: plan.clients,
    memory: plan.memory,
    say,
    record(reported) {
      plan.add({ side: target.side, ...reported, workload: workload.id, turn });
    },
  };
}

async function runWorkload(plan: Plan, target: Target, broker: BrokerTarget | undefined, workload: Workload, turn: number): Promise<void> {
  try {
    await workload.run(stageOf(plan, target, broker, workload, turn));
  } catch (error) {
    plan.fail(`${workload.id} on ${target.side}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function bareTurn(plan: Plan, turn: number): Promise<void> {
  const target = new BareTarget();
  try {
    // It has nothing to compile and varies little.
    const short = { ...plan, effort: new Effort(plan.effort.scale * BARE_SHARE, plan.effort.isQuick) };
    const measured = plan.workloads.filter((each) => each.onBare && (turn % 2 === 0 || each.isOnce !== true));
    for (const workload of measured) await runWorkload(short, target, undefined, workload, turn);
  } finally {
    target.dispose();
  }
}

async function sharedTurn(plan: Plan, side: BrokerSide, turn: number): Promise<void> {
  const shared = plan.workloads.filter((each) => each.isAlone !== true && (turn % 2 === 0 || each.isOnce !== true));
  if (shared.length === 0) return;
  const broker = await BrokerTarget.prepare(side, plan.properties[side], plan.effort);
  try {
    await broker.start();
    say(`${side} (${turn}) is warming up`);
    const warm = await warmUp(broker, plan.effort, plan.memory);
    const produce = shared.find((each) => each.id === 'produce');
    if (produce !== undefined) {
      const figures = { cpuSPerGbFirst: warm.cpuSPerGb[0] ?? NaN, cpuSPerGbLast: warm.cpuSPerGb.at(-1) ?? NaN };
      const settings = `up to ten times ${warm.sliceBytes / 1e9} GB, batches of 60 KiB`;
      stageOf(plan, broker, broker, produce, turn).record({ name: 'from the start on', mode: 'os', client: 'native', settings, figures });
    }
    for (const workload of shared) await runWorkload(plan, broker, broker, workload, turn);
  } finally {
    await broker.dispose();
  }
}

async function aloneTurn(plan: Plan, workload: Workload, side: BrokerSide, turn: number): Promise<void> {
  const broker = await BrokerTarget.prepare(side, plan.properties[side], plan.effort);
  try {
    say(`${side} (${turn}) for ${workload.id}`);
    await runWorkload(plan, broker, broker, workload, turn);
  } finally {
    await broker.dispose();
  }
}

/** A B B A, or A B where the workload is measured once, or in a quick run. */
export function orderOf<T>(sides: readonly T[], isOnce: boolean): { side: T; turn: number }[] {
  const forward = sides.map((side) => ({ side, turn: 0 }));
  return isOnce ? forward : [...forward, ...[...sides].reverse().map((side) => ({ side, turn: 1 }))];
}

export async function runRounds(plan: Plan): Promise<void> {
  for (let round = 0; round < plan.rounds; round += 1) {
    const isShort = plan.effort.isQuick;
    for (const { side, turn } of orderOf<BrokerSide>(plan.sides, isShort)) {
      // The limit is measured beside the first of each pair.
      if (side === (turn === 0 ? plan.sides[0] : plan.sides.at(-1))) await bareTurn(plan, 2 * round + turn);
      await sharedTurn(plan, side, 2 * round + turn);
    }
    for (const workload of plan.workloads.filter((each) => each.isAlone === true)) {
      for (const { side, turn } of orderOf<BrokerSide>(plan.sides, isShort || workload.isOnce === true)) await aloneTurn(plan, workload, side, 2 * round + turn);
    }
  }
}

/** Seconds that a full run of the plan takes. */
export function estimate(workloads: readonly Workload[], sides: number): number {
  const warming = workloads.some((each) => each.isAlone !== true) ? WARM_UP_SECONDS : 0;
  const sum = (list: readonly Workload[]) => list.reduce((total, each) => total + each.seconds, 0);
  const once = workloads.filter((each) => each.isOnce === true);
  const each = workloads.filter((workload) => workload.isOnce !== true);
  const bare = sum(workloads.filter((workload) => workload.onBare)) * BARE_SHARE;
  return 2 * (sides * (sum(each) + warming) + bare) + (sides * sum(once)) / 2;
}
