// The sides in turn: bare, A B, bare, B A. Each broker is started fresh, warmed, and goes through the workloads that share it; those that want a
// broker of their own follow.
import { type Effort } from '../suite/effort.js';
import { type Client, type Measurement } from '../suite/measurement.js';
import { say } from '../suite/progress.js';
import { BareTarget } from './bare.js';
import { type BrokerSide, BrokerTarget } from './broker-target.js';
import { settleDisk } from './page-cache.js';
import { type Stage, type Workload } from './stage.js';
import { type Target } from './target.js';
import { warmUp } from './warm-up.js';

export interface Plan {
  readonly workloads: readonly Workload[];
  readonly sides: readonly BrokerSide[];
  readonly rounds: number;
  readonly effort: Effort;
  readonly clients: ReadonlySet<Client>;
  readonly properties: Readonly<Record<BrokerSide, Readonly<Record<string, string>>>>;
  add(measurement: Measurement): void;
}

function stageOf(plan: Plan, target: Target, broker: BrokerTarget | undefined, workload: Workload, turn: number): Stage {
  return {
    target, broker, turn,
    effort: plan.effort,
    clients: plan.clients,
    say,
    record(reported) {
      plan.add({ side: target.side, ...reported, workload: workload.id, turn });
    },
  };
}

async function bareTurn(plan: Plan, turn: number): Promise<void> {
  const target = new BareTarget();
  try {
    for (const workload of plan.workloads.filter((each) => each.onBare)) await workload.run(stageOf(plan, target, undefined, workload, turn));
  } finally {
    target.dispose();
  }
}

async function sharedTurn(plan: Plan, side: BrokerSide, turn: number): Promise<void> {
  const shared = plan.workloads.filter((each) => each.isAlone !== true && (turn === 0 || each.isOnce !== true));
  if (shared.length === 0) return;
  const broker = await BrokerTarget.prepare(side, plan.properties[side]);
  try {
    await broker.start();
    say(`${side} (${turn}) is warming up`);
    const warm = await warmUp(broker, plan.effort);
    const produce = shared.find((each) => each.id === 'produce');
    if (produce !== undefined) {
      const figures = { cpuSPerGbFirst: warm.cpuSPerGb[0] ?? NaN, cpuSPerGbTenth: warm.cpuSPerGb.at(-1) ?? NaN };
      const settings = `ten times ${warm.sliceBytes / 1e9} GB, batches of 60 KiB`;
      stageOf(plan, broker, broker, produce, turn).record({ name: 'from the start on', mode: 'os', client: 'native', settings, figures });
    }
    for (const workload of shared) {
      await workload.run(stageOf(plan, broker, broker, workload, turn));
      settleDisk(broker.directory);
    }
    await broker.stop();
  } finally {
    await broker.dispose();
  }
}

async function aloneTurn(plan: Plan, workload: Workload, side: BrokerSide, turn: number): Promise<void> {
  const broker = await BrokerTarget.prepare(side, plan.properties[side]);
  try {
    say(`${side} (${turn}) for ${workload.id}`);
    await workload.run(stageOf(plan, broker, broker, workload, turn));
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
  const isShared = workloads.some((each) => each.isAlone !== true);
  const warming = isShared ? 45 : 0;
  const each = workloads.reduce((sum, workload) => sum + workload.seconds * (workload.isOnce === true ? 0.5 : 1), 0);
  const bare = workloads.filter((workload) => workload.onBare).reduce((sum, workload) => sum + workload.seconds * 0.3, 0);
  return 2 * (sides * (each + warming) + bare);
}
