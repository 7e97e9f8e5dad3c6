// build/Release/sluice.node (node-gyp, with the headers of this Node's own installation), or build/addon/sluice.node (CMake,
// with the headers of the npm package node-api-headers) where Node came without headers. Nothing is downloaded for either.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { BUILD_PACKAGES, CMAKE_PACKAGES, requirePackages } from './debian.mjs';
import { root } from './paths.mjs';
import { StepError } from './report.mjs';
import { run, step } from './run.mjs';
import { filesBelow, StampFile, stampOf } from './stamp.mjs';

const require = createRequire(import.meta.url);
const stampFile = new StampFile('build/.addon-stamp');
const ADDON_SOURCE = 'native/addon/addon.cc';
const OBJECTS = 'build/Release/obj.target/sluice';
const OUTPUTS = { gyp: 'build/Release/sluice.node', cmake: 'build/addon/sluice.node' };

/** The folder that node-gyp calls nodedir, when this Node's installation has its headers. */
export function nodeDirWithHeaders(execPath = process.execPath) {
  const prefix = dirname(dirname(execPath));
  const headers = join(prefix, 'include', 'node');
  return ['node_api.h', 'common.gypi', 'config.gypi'].every((name) => existsSync(join(headers, name))) ? prefix : undefined;
}

function builder() {
  if (process.env.SLUICE_ADDON_BUILD === 'cmake') return 'cmake';
  return nodeDirWithHeaders() === undefined ? 'cmake' : 'gyp';
}

function addonStamp(how) {
  const sources = filesBelow('native', ['.cc', '.h']);
  const abi = [how, process.versions.modules, process.arch, process.env.CXXFLAGS];
  return stampOf(['binding.gyp', 'CMakeLists.txt', 'package-lock.json', ...sources], abi);
}

export function isAddonBuilt(how = builder(), stamp = addonStamp(how)) {
  return stampFile.is(stamp) && existsSync(join(root, OUTPUTS[how]));
}

/** The folder of the addon's object files, for others to link; undefined where CMake built it. */
export function addonObjects() {
  return builder() === 'gyp' ? join(root, OBJECTS) : undefined;
}

/** What was built but does not load on this machine (a library is gone, the tree was copied) is built again. */
export async function forgetBrokenAddon() {
  const how = builder();
  if (isAddonBuilt(how) && (await load(OUTPUTS[how])).code !== 0) stampFile.clear();
}

export async function buildAddon() {
  const how = builder();
  const stamp = addonStamp(how);
  if (isAddonBuilt(how, stamp)) return false;
  if (!existsSync(join(root, ADDON_SOURCE))) throw new StepError(`the addon cannot be built: ${ADDON_SOURCE} is not there`);
  await requirePackages([...BUILD_PACKAGES, ...(how === 'cmake' ? CMAKE_PACKAGES : [])], 'building the addon');
  stampFile.clear();
  if (how === 'gyp') await buildWithGyp();
  else await buildWithCmake();
  await tryToLoad(OUTPUTS[how]);
  stampFile.write(stamp);
  return true;
}

const remedy = 'mend what the compiler says above and run the same command again';

async function buildWithGyp() {
  const gyp = require.resolve('node-gyp/bin/node-gyp.js');
  const common = [`--nodedir=${nodeDirWithHeaders()}`, '--release'];
  // The list of sources is read when configuring, so that always comes first; it takes a second.
  await step('preparing the addon', process.execPath, [gyp, 'configure', ...common], { cwd: root, remedy });
  const total = filesBelow('native', ['.cc']).length;
  let compiled = 0;
  await step('building the addon', process.execPath, [gyp, 'build', ...common, `--jobs=${availableParallelism()}`], {
    cwd: root,
    env: await compilerEnvironment(),
    remedy,
    detailOf: (line) => (/^\s+CXX\(/.test(line) ? `${++compiled} of at most ${total} files` : undefined),
  });
}

/** What CMake is told to build the addon too, as <output>/sluice.node: its target is sluice_addon. */
export function cmakeAddonOptions(output) {
  return [
    '-DSLUICE_ADDON=ON',
    `-DSLUICE_NODE_API_INCLUDE=${require('node-api-headers').include_dir}`,
    `-DSLUICE_NODE_ADDON_API=${dirname(require.resolve('node-addon-api/package.json'))}`,
    `-DSLUICE_ADDON_OUTPUT=${output}`,
  ];
}

async function buildWithCmake() {
  const folder = join(root, 'build', 'addon-cmake');
  const configure = ['-S', root, '-B', folder, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', ...cmakeAddonOptions(join(root, dirname(OUTPUTS.cmake)))];
  await step('preparing the addon', 'cmake', configure, { cwd: root, remedy });
  await step('building the addon', 'cmake', ['--build', folder, '--target', 'sluice_addon'], {
    cwd: root,
    remedy,
    detailOf: (line) => /^\[\d+\/\d+\]/.exec(line)?.[0],
  });
}

async function compilerEnvironment() {
  if (process.env.CXX !== undefined) return {};
  const { code } = await run('ccache', ['--version']);
  // Compiled from another clone of the same sources, an object file is the same.
  return code === 0 ? { CXX: 'ccache g++', CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: '1' } : {};
}

/** In a process of its own: a broken addon ends that one, and says why here. */
function load(file) {
  return run(process.execPath, ['-e', `require(${JSON.stringify(join(root, file))})`]);
}

async function tryToLoad(file) {
  const { code, output } = await load(file);
  if (code === 0) return;
  throw new StepError(`the addon was built but cannot be loaded: ${file}`, { tail: output, remedy });
}
