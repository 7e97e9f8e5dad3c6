// Writes a partition directory with Apache Kafka's own classes, and what they say about it, for log_golden_test.cc.
//   javac -cp "$KAFKA/libs/*" -d /tmp/golden MakeKafkaLog.java
//   java -cp "$KAFKA/libs/*:/tmp/golden" MakeKafkaLog .        writes ./clean/t-0 and ./expected.txt
// where $KAFKA is .cache/kafka/4.4.0 (npm run kafka:fetch). Run it again only for another version of Kafka.
import java.io.File;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.*;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

public class MakeKafkaLog {
  static final long NOW = 1700000000000L;

  // Time that stands still, so that producers do not expire.
  static class Still implements Time {
    public long milliseconds() { return NOW + 60000; }
    public long nanoseconds() { return System.nanoTime(); }
    public long hiResClockMs() { return milliseconds(); }
    public void sleep(long ms) {}
    public void waitObject(Object obj, java.util.function.Supplier<Boolean> condition, long deadlineMs) { throw new UnsupportedOperationException(); }
    public org.apache.kafka.common.utils.Timer timer(long timeoutMs) { throw new UnsupportedOperationException(); }
    public org.apache.kafka.common.utils.Timer timer(java.time.Duration timeout) { throw new UnsupportedOperationException(); }
  }

  static UnifiedLog open(File dir, KafkaScheduler scheduler) throws Exception {
    Properties p = new Properties();
    p.put("segment.bytes", "1048576");
    p.put("internal.segment.bytes", "6000");
    p.put("segment.index.bytes", "1200");
    p.put("index.interval.bytes", "500");
    return UnifiedLog.create(dir, new LogConfig(p), 0, 0, scheduler, new BrokerTopicStats(), new Still(), 900000,
        new ProducerStateManagerConfig(86400000, false), 600000, new LogDirFailureChannel(1), true, Optional.of(Uuid.fromString("AQIDBAUGBwgJCgsMDQ4PEA")));
  }

  static MemoryRecords batch(Compression codec, long pid, short epoch, int seq, boolean txn, long time, int step, int records, int size) {
    ByteBuffer buffer = ByteBuffer.allocate(20000);
    MemoryRecordsBuilder b = MemoryRecords.builder(buffer, RecordBatch.CURRENT_MAGIC_VALUE, codec, TimestampType.CREATE_TIME, 0L, RecordBatch.NO_TIMESTAMP,
        pid, epoch, seq, txn, RecordBatch.NO_PARTITION_LEADER_EPOCH);
    byte[] value = new byte[size];
    for (int i = 0; i < records; i++) {
      for (int j = 0; j < size; j++) value[j] = (byte) (i * 31 + j * 7);
      b.append(time + (long) i * step, ("key" + i).getBytes(), value);
    }
    return b.build();
  }

  static void copy(Path from, Path to) throws Exception {
    Files.createDirectories(to);
    for (File f : from.toFile().listFiles()) Files.copy(f.toPath(), to.resolve(f.getName()));
  }

  public static void main(String[] args) throws Exception {
    Path out = Path.of(args[0]);
    Path work = Files.createTempDirectory("golden").resolve("t-0");
    KafkaScheduler scheduler = new KafkaScheduler(1);
    scheduler.startup();
    UnifiedLog log = open(work.toFile(), scheduler);
    Random random = new Random(42);
    Compression[] codecs = {Compression.NONE, Compression.gzip().build(), Compression.snappy().build(), Compression.lz4().build(), Compression.zstd().build()};
    int[] seq = new int[3];
    short[] epochs = {0, 3, 7};
    int epoch = 2;
    for (int i = 0; i < 150; i++) {
      if (i == 60) epoch = 3;
      if (i == 110) epoch = 7;
      int records = 1 + random.nextInt(4);
      long time = NOW + i * 20 - random.nextInt(400);
      int who = random.nextInt(4);
      Compression codec = codecs[random.nextInt(5)];
      if (who < 3) {
        if (random.nextInt(30) == 0) { epochs[who]++; seq[who] = 0; }
        log.appendAsLeader(batch(codec, 100 + who, epochs[who], seq[who], false, time, random.nextInt(3), records, random.nextInt(400)), epoch);
        seq[who] += records;
      } else {
        log.appendAsLeader(batch(codec, -1, (short) -1, -1, false, time, random.nextInt(3), records, random.nextInt(400)), epoch);
      }
      if (i % 20 == 3) {
        for (int j = 0; j < 2; j++) log.appendAsLeader(batch(Compression.NONE, 500 + i, (short) 1, j, true, time, 1, 1, 50), epoch);
      }
      if (i % 20 == 9) {
        EndTransactionMarker marker = new EndTransactionMarker(i % 40 == 9 ? ControlRecordType.ABORT : ControlRecordType.COMMIT, 5);
        log.appendAsLeader(MemoryRecords.withEndTransactionMarker(NOW + i * 20, 500 + i - 6, (short) 1, marker), epoch, AppendOrigin.COORDINATOR,
            org.apache.kafka.server.common.RequestLocal.noCaching(), VerificationGuard.SENTINEL, (short) 0);
      }
    }
    log.appendAsLeader(batch(Compression.NONE, 900, (short) 4, 0, true, NOW + 5, 0, 2, 10), epoch);
    log.updateHighWatermark(log.logEndOffset());

    try (PrintStream text = new PrintStream(out.resolve("expected.txt").toFile())) {
      text.println("ends " + log.logStartOffset() + " " + log.lastStableOffset() + " " + log.logEndOffset());
      for (LogSegment s : log.logSegments()) text.println("segment " + s.baseOffset() + " " + s.size() + " " + s.largestTimestamp());
      var producers = new ArrayList<>(log.activeProducers());
      producers.sort(Comparator.comparing(p -> p.producerId()));
      for (var p : producers) {
        text.println("producer " + p.producerId() + " " + p.producerEpoch() + " " + p.lastSequence() + " " + p.lastTimestamp() + " " + p.coordinatorEpoch() + " " + p.currentTxnStartOffset());
      }
      for (long from = 0; from <= log.logEndOffset(); from += 37) {
        for (long upper = from; upper <= log.logEndOffset(); upper += 61) {
          StringBuilder line = new StringBuilder("aborted " + from + " " + upper);
          // What a fetch does: from the segment that holds `from` on.
          long base = 0;
          for (LogSegment s : log.logSegments()) if (s.baseOffset() <= from) base = s.baseOffset();
          for (LogSegment s : log.logSegments()) {
            if (s.baseOffset() < base) continue;
            TxnIndexSearchResult result = s.collectAbortedTxns(from, upper);
            for (var txn : result.abortedTransactions()) line.append(" " + txn.producerId() + ":" + txn.firstOffset());
            if (result.isComplete()) break;
          }
          text.println(line);
        }
      }
      for (long target = NOW - 500; target < NOW + 3200; target += 53) {
        var found = log.fetchOffsetByTimestamp(target, Optional.empty()).timestampAndOffsetOpt();
        text.println("time " + target + " " + found.map(f -> f.timestamp + " " + f.offset + " " + f.leaderEpoch.orElse(-1)).orElse("none"));
      }
      var max = log.fetchOffsetByTimestamp(ListOffsetsRequest.MAX_TIMESTAMP, Optional.empty()).timestampAndOffsetOpt();
      text.println("maxtime " + max.map(f -> f.timestamp + " " + f.offset + " " + f.leaderEpoch.orElse(-1)).orElse("none"));
      for (int e = 0; e < 10; e++) {
        var end = log.endOffsetForEpoch(e);
        text.println("epoch " + e + " " + end.map(x -> x.epoch() + " " + x.offset()).orElse("-1 -1"));
      }
      for (long o = 0; o < log.logEndOffset(); o += 29) text.println("epochof " + o + " " + log.leaderEpochCache().epochForOffset(o).orElse(-1));
    }
    log.prepareActiveSegmentForClose();  // as LogManager does at a clean stop
    log.close();
    copy(work, out.resolve("clean").resolve("t-0"));
    scheduler.shutdown();
    System.exit(0);
  }
}
