// Ways to break the engine that `npm run fault` must notice: each is a file of native/ with one place changed, linked instead of the whole one. Nothing of this
// is in the sources; a place that is not there any more is an error here.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build/paths.mjs';
import { StepError } from '../build/report.mjs';

export const MUTATIONS = [
  {
    name: 'lying_disk', what: 'syncs of the journal do nothing', args: ['--lies', 'journal-'],
  },
  {
    name: 'journal_crc', what: 'replay does not check the CRC of a frame',
    file: 'log/journal_reader.cc', from: 'if (FrameCrc(Bytes(buffer->data(), header->length)) != header->crc) return std::nullopt;', to: '',
  },
  {
    name: 'journal_sync', what: 'where O_DIRECT is refused, the journal is not synced',
    file: 'log/journal.cc', from: 'frame->sync_after = options_.alignment == 0;', to: 'frame->sync_after = false;',
  },
  {
    name: 'takeover_sync', what: 'what was replayed from memory is not made durable',
    file: 'log/log_dir_open.cc', from: 'const Status durable = reader->MakeDurable();', to: 'const Status durable = Status::Ok();',
  },
  {
    name: 'checkpoint_sync', what: 'a checkpoint does not sync the segments',
    file: 'log/log_dir_checkpoint.cc', from: 'run->result = Log::SyncTogether(*fs, path, sets);', to: 'run->result = Status::Ok();',
  },
  {
    name: 'rename_sync', what: 'the new name of a checkpoint is not synced',
    file: 'io/file.cc', from: `return fs.SyncDir(slash == std::string::npos ? "." : path.substr(0, slash));`, to: '(void)slash;\n  return Status::Ok();',
  },
  {
    name: 'log_start', what: 'deleting records is not told to the journal',
    file: 'log/log_dir_change.cc', from: 'AddControlEntry(EntryKind::kLogStart, *slot, now, nullptr);', to: '',
  },
  {
    name: 'unproven_tail', what: 'recovery leaves what lies behind the proven end',
    file: 'log/log_replay.cc', from: 'SLUICE_TRY(log.active().CutTail());\n  log.cut_noted', to: 'log.cut_noted',
  },
  {
    name: 'clean_mark', what: 'the mark of a clean stop stays',
    file: 'log/log_dir_recovery.cc', from: 'SLUICE_TRY(env.fs->Remove(PathOf(kCleanMarkName)));', to: '',
  },
  {
    name: 'clean_sync', what: 'what compaction has written is not synced', args: ['--compaction'],
    file: 'log/cleaner_run.cc', from: 'SLUICE_TRY(cleaned_->SyncFiles());', to: '',
  },
  {
    name: 'clean_lack', what: 'a full disk while compaction changes names takes the directory offline', args: ['--compaction'],
    file: 'log/cleaner_run.cc', from: 'phase_ == Phase::kNames && IsLack(status_.code())', to: 'false',
  },
  {
    name: 'clean_unread', what: 'a start goes by what it could read of a compacted segment', args: ['--compaction'],
    file: 'log/log_load.cc', from: 'step == BatchScanner::Step::kBad && IsUnread(scanner.status().code())', to: 'false',
  },
  {
    name: 'verify_crc', what: 'verify does not check the CRC of batches', args: ['--flips'],
    file: 'log/verify_log.cc', from: '.end = size_, .check_crc = true}', to: '.end = size_}',
  },
  {
    name: 'lost_frames', what: 'a start does not look whether later frames prove that some are missing', args: ['--flips'],
    file: 'log/log_dir_open.cc', from: 'if (*lost) {', to: 'if (false) {',
  },
  {
    name: 'stopped_at', what: 'a log may end elsewhere than when it was stopped', args: ['--flips'],
    file: 'log/log_load.cc', from: '!state.stopped_at || written_end == *state.stopped_at', to: 'true',
  },
];

/** Writes the changed files where CMakeLists.txt looks for them, and returns the program of each mutation. */
export function writeMutants(folder, mutations) {
  const directory = join(root, folder, 'mutants');
  mkdirSync(directory, { recursive: true });
  return mutations.map((mutation) => {
    if (mutation.file === undefined) return { ...mutation, program: 'sluice_fault' };
    const source = readFileSync(join(root, 'native', mutation.file), 'utf8');
    const parts = source.split(mutation.from);
    if (parts.length !== 2) {
      throw new StepError(`mutation ${mutation.name}: native/${mutation.file} has its place ${parts.length - 1} times, not once`, {
        remedy: 'scripts/test/mutations.mjs must follow the sources',
      });
    }
    const path = join(directory, `${mutation.name}.cc`);
    const text = parts.join(mutation.to);
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
    return { ...mutation, program: `sluice_fault_${mutation.name}` };
  });
}
