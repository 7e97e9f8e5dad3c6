import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.PrimitiveRef;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.RecordValidationException;

/**
 * Prints record batches made by Kafka's own classes, and what Kafka's own validation makes of batches: the fixture
 * test/native/batch/golden_batches.txt. Run it again only when the Kafka version changes:
 *
 *   CP=".cache/kafka/4.4.0/libs/*"
 *   javac -cp "$CP" -d build/java test/compat/java/GoldenBatches.java
 *   java -cp "build/java:$CP" GoldenBatches > test/native/batch/golden_batches.txt
 *
 * Lines: "B name key=value... hex" a batch, followed by its "R offset timestamp key value [headerKey=headerValue]..." records;
 * "V name key=value... hex" a validation, followed by "= ok maxTimestamp hex" or "= error CODE recordIndex,...";
 * "P version hex CODE" the check of a Produce request. Bytes are hex; "-" is null, "." is empty, "+61*70000+" is a byte repeated.
 */
public final class GoldenBatches {
    private static final PrintStream OUT = System.out;
    private static final long T = 1_700_000_000_000L;

    record Rec(long timestamp, byte[] key, byte[] value, Header... headers) { }

    private static byte[] text(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] repeat(int b, int count) {
        byte[] out = new byte[count];
        Arrays.fill(out, (byte) b);
        return out;
    }

    /** Bytes that no codec makes smaller. */
    private static byte[] noise(int seed, int count) {
        byte[] out = new byte[count];
        long x = seed;
        for (int i = 0; i < count; i++) {
            x = x * 6364136223846793005L + 1442695040888963407L;
            out[i] = (byte) (x >>> 56);
        }
        return out;
    }

    private static String hex(byte[] bytes) {
        if (bytes == null) return "-";
        if (bytes.length == 0) return ".";
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < bytes.length; ) {
            int run = 1;
            while (i + run < bytes.length && bytes[i + run] == bytes[i]) run++;
            if (run < 40) {
                for (int n = 0; n < run; n++) out.append(String.format("%02x", bytes[i] & 0xff));
            } else {
                out.append(String.format("+%02x*%d+", bytes[i] & 0xff, run));
            }
            i += run;
        }
        return out.toString();
    }

    private static byte[] bytes(ByteBuffer buffer) {
        if (buffer == null) return null;
        byte[] out = new byte[buffer.remaining()];
        buffer.duplicate().get(out);
        return out;
    }

    private static final class Options {
        Compression compression = Compression.NONE;
        TimestampType type = TimestampType.CREATE_TIME;
        long baseOffset = 0;
        long appendTime = RecordBatch.NO_TIMESTAMP;
        long producerId = RecordBatch.NO_PRODUCER_ID;
        short epoch = RecordBatch.NO_PRODUCER_EPOCH;
        int sequence = RecordBatch.NO_SEQUENCE;
        boolean transactional = false;
        boolean control = false;
        int leaderEpoch = RecordBatch.NO_PARTITION_LEADER_EPOCH;
    }

    private static MemoryRecordsBuilder builder(Options o) {
        return new MemoryRecordsBuilder(ByteBuffer.allocate(1 << 20), RecordBatch.MAGIC_VALUE_V2, o.compression, o.type, o.baseOffset,
            o.appendTime, o.producerId, o.epoch, o.sequence, o.transactional, o.control, o.leaderEpoch, 1 << 20);
    }

    private static MemoryRecords build(Options o, List<Rec> records) {
        MemoryRecordsBuilder builder = builder(o);
        for (Rec r : records) builder.append(r.timestamp, r.key, r.value, r.headers);
        return builder.build();
    }

    private static void print(String name, MemoryRecords records) {
        MutableRecordBatch batch = records.batches().iterator().next();
        batch.ensureValid();
        OUT.printf("B %s codec=%s baseOffset=%d lastOffset=%d leaderEpoch=%d logAppendTime=%d maxTimestamp=%d producerId=%d "
                + "producerEpoch=%d baseSequence=%d lastSequence=%d transactional=%d control=%d count=%d crc=%d %s%n",
            name, batch.compressionType().name, batch.baseOffset(), batch.lastOffset(), batch.partitionLeaderEpoch(),
            batch.timestampType() == TimestampType.LOG_APPEND_TIME ? 1 : 0, batch.maxTimestamp(), batch.producerId(),
            batch.producerEpoch(), batch.baseSequence(), batch.lastSequence(), batch.isTransactional() ? 1 : 0,
            batch.isControlBatch() ? 1 : 0, batch.countOrNull(), batch.checksum(), hex(bytes(records.buffer())));
        for (Record r : batch) {
            OUT.printf("R %d %d %s %s", r.offset(), r.timestamp(), hex(bytes(r.key())), hex(bytes(r.value())));
            for (Header h : r.headers()) OUT.printf(" %s=%s", hex(text(h.key())), hex(h.value()));
            OUT.println();
        }
    }

    private static Compression[] all() {
        return new Compression[] {Compression.NONE, Compression.gzip().build(), Compression.snappy().build(), Compression.lz4().build(),
            Compression.zstd().build()};
    }

    private static List<Rec> plain() {
        return List.of(
            new Rec(T, text("key-1"), text("value-1")),
            new Rec(T + 5, null, text("no key")),
            new Rec(T - 7, text("no value"), null),
            new Rec(T + 100, new byte[0], new byte[0]),
            new Rec(T + 3_000_000_000L, text("ключ"), text("späte Zeit"), new RecordHeader("h1", text("v1")),
                new RecordHeader("", null), new RecordHeader("h1", new byte[0])),
            new Rec(RecordBatch.NO_TIMESTAMP, text("timeless"), text("x")));
    }

    private static List<Rec> large() {
        return List.of(
            new Rec(T, text("noise"), noise(1, 300)),
            new Rec(T + 1, text("long"), repeat('a', 70_000)),
            new Rec(T + 2, null, repeat(0, 40_000)),
            new Rec(T + 3, text("end"), noise(2, 100)));
    }

    private static void batches() {
        for (Compression c : all()) {
            Options o = new Options();
            o.compression = c;
            print("plain-" + c.type().name, build(o, plain()));
            print("large-" + c.type().name, build(o, large()));
        }
        Options levels = new Options();
        levels.compression = Compression.gzip().level(9).build();
        print("gzip-level-9", build(levels, large()));
        levels.compression = Compression.lz4().level(1).build();
        print("lz4-level-1", build(levels, large()));
        levels.compression = Compression.lz4().level(17).build();
        print("lz4-level-17", build(levels, large()));
        levels.compression = Compression.zstd().level(22).build();
        print("zstd-level-22", build(levels, large()));
        levels.compression = Compression.zstd().level(-5).build();
        print("zstd-level--5", build(levels, large()));

        Options one = new Options();
        one.baseOffset = 9_000_000_000L;
        one.leaderEpoch = 42;
        print("one-record", build(one, List.of(new Rec(0, null, null))));

        Options idempotent = new Options();
        idempotent.producerId = 123_456_789_012L;
        idempotent.epoch = 7;
        idempotent.sequence = Integer.MAX_VALUE - 1;
        print("idempotent-wrapping", build(idempotent, plain()));

        Options transactional = new Options();
        transactional.producerId = 5;
        transactional.epoch = 0;
        transactional.sequence = 0;
        transactional.transactional = true;
        transactional.compression = Compression.lz4().build();
        print("transactional-lz4", build(transactional, plain()));

        Options append = new Options();
        append.type = TimestampType.LOG_APPEND_TIME;
        append.appendTime = T + 77;
        append.baseOffset = 10;
        print("log-append-time", build(append, plain()));

        for (ControlRecordType type : new ControlRecordType[] {ControlRecordType.ABORT, ControlRecordType.COMMIT}) {
            MemoryRecords marker = MemoryRecords.withEndTransactionMarker(500, T, 3, 77, (short) 2, new EndTransactionMarker(type, 11));
            print("marker-" + type.name().toLowerCase(), marker);
        }
    }

    // ---- validation

    private static final class Rules {
        boolean compacted = false;
        boolean logAppendTime = false;
        long before = Long.MAX_VALUE;
        long after = 3_600_000L;
        long now = T + 1000;
        Compression target = null;  // null: the producer's
        int level = Integer.MIN_VALUE;
        boolean coordinator = false;
        int maxRecord = 2147483639;
    }

    private static final LogValidator.MetricsRecorder NO_METRICS = new LogValidator.MetricsRecorder() {
        @Override public void recordInvalidMagic() { }
        @Override public void recordInvalidOffset() { }
        @Override public void recordInvalidSequence() { }
        @Override public void recordInvalidChecksums() { }
        @Override public void recordNoKeyCompactedTopic() { }
    };

    private static Time clockAt(long now) {
        return (Time) java.lang.reflect.Proxy.newProxyInstance(Time.class.getClassLoader(), new Class<?>[] {Time.class},
            (proxy, method, arguments) -> method.getName().equals("milliseconds") ? now : 0L);
    }

    private static void validate(String name, Rules r, byte[] input) {
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(input.clone()));
        CompressionType source = records.batches().iterator().next().compressionType();
        Compression target = r.target != null ? r.target : Compression.of(source).build();
        OUT.printf("V %s compacted=%d logAppendTime=%d before=%d after=%d now=%d target=%s level=%d coordinator=%d maxRecord=%d %s%n", name,
            r.compacted ? 1 : 0, r.logAppendTime ? 1 : 0, r.before, r.after, r.now, target.type().name, r.level, r.coordinator ? 1 : 0,
            r.maxRecord, hex(input));
        try {
            LogValidator validator = new LogValidator(records, new TopicPartition("t", 0), clockAt(r.now), source, target,
                r.compacted, RecordBatch.MAGIC_VALUE_V2, r.logAppendTime ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
                r.before, r.after, 7, r.coordinator ? AppendOrigin.COORDINATOR : AppendOrigin.CLIENT, r.maxRecord);
            LogValidator.ValidationResult result =
                validator.validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(1000), NO_METRICS, BufferSupplier.NO_CACHING);
            OUT.printf("= ok %d %s%n", result.maxTimestampMs(), hex(bytes(result.validatedRecords().buffer())));
        } catch (RecordValidationException e) {
            String indexes = e.recordErrors().stream().map(x -> Integer.toString(x.batchIndex)).collect(Collectors.joining(","));
            OUT.printf("= error %s %s%n", Errors.forException(e.invalidException()).name(), indexes);
        } catch (ApiException e) {
            OUT.printf("= error %s -%n", Errors.forException(e).name());
        } catch (RuntimeException e) {
            OUT.printf("= error UNKNOWN_SERVER_ERROR -%n");
        }
    }

    private static byte[] make(Options o, List<Rec> records) {
        return bytes(build(o, records).buffer());
    }

    /** Changes some bytes and makes the CRC right again. */
    private interface Edit {
        void apply(ByteBuffer batch);
    }

    private static byte[] edited(byte[] batch, Edit edit) {
        ByteBuffer copy = ByteBuffer.wrap(batch.clone());
        edit.apply(copy);
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(copy.array(), 21, copy.array().length - 21);
        copy.putInt(17, (int) crc.getValue());
        return copy.array();
    }

    private static void validations() {
        List<Rec> near = List.of(new Rec(T, text("a"), text("1")), new Rec(T + 900, text("b"), text("2")), new Rec(T + 20, text("c"), null));
        List<Rec> keyless = List.of(new Rec(T, text("a"), text("1")), new Rec(T, null, text("2")), new Rec(T, text("c"), text("3")),
            new Rec(T, null, null));
        List<Rec> late = List.of(new Rec(T, text("a"), text("1")), new Rec(T + 3_601_001L, text("b"), text("2")),
            new Rec(T + 3_601_000L, text("c"), text("3")), new Rec(RecordBatch.NO_TIMESTAMP, text("d"), text("4")));
        for (Compression source : all()) {
            String codec = "-" + source.type().name;
            Options o = new Options();
            o.compression = source;
            o.producerId = 99;
            o.epoch = 1;
            o.sequence = 4;
            byte[] batch = make(o, near);
            validate("near" + codec, new Rules(), batch);
            Rules append = new Rules();
            append.logAppendTime = true;
            validate("append-time" + codec, append, batch);
            Rules compacted = new Rules();
            compacted.compacted = true;
            validate("compacted-keyed" + codec, compacted, batch);
            validate("compacted-keyless" + codec, compacted, make(o, keyless));
            validate("late" + codec, new Rules(), make(o, late));
            validate("late-append-time" + codec, append, make(o, late));
            Rules before = new Rules();
            before.before = 990;
            validate("early" + codec, before, batch);
            Rules both = new Rules();
            both.compacted = true;
            both.before = 500;
            validate("keyless-and-early" + codec, both, make(o, keyless));
            // The header's maximum is wrong: put right.
            validate("wrong-max-timestamp" + codec, new Rules(), edited(batch, b -> b.putLong(35, T + 3_600_999_999L)));
            validate("count-too-small" + codec, compacted, edited(batch, b -> b.putInt(57, 2).putInt(23, 1)));
            validate("count-too-large" + codec, compacted, edited(batch, b -> b.putInt(57, 4).putInt(23, 3)));
            validate("client-sets-append-time" + codec, append, edited(batch, b -> b.putShort(21, (short) (b.getShort(21) | 8))));
            validate("client-sets-append-time-create" + codec, new Rules(), edited(batch, b -> b.putShort(21, (short) (b.getShort(21) | 8))));
            validate("client-sets-append-time-late" + codec, new Rules(),
                edited(batch, b -> b.putShort(21, (short) (b.getShort(21) | 8)).putLong(35, T + 4_000_000L)));
            Rules small = new Rules();
            small.maxRecord = 100;
            validate("large-record" + codec, small, make(o, large()));
            for (Compression target : all()) {
                Rules to = new Rules();
                to.target = target;
                validate("recompress" + codec + "-" + target.type().name, to, batch);
                Rules toAppend = new Rules();
                toAppend.target = target;
                toAppend.logAppendTime = true;
                validate("recompress-append-time" + codec + "-" + target.type().name, toAppend, batch);
            }
        }
        Options o = new Options();
        byte[] batch = make(o, near);
        validate("bad-counts", new Rules(), edited(batch, b -> b.putInt(23, 5)));
        validate("zero-records", new Rules(), edited(batch, b -> b.putInt(57, 0)));
        validate("negative-delta", new Rules(), edited(batch, b -> b.putInt(23, -1).putInt(57, 0)));
        validate("control-from-client", new Rules(), edited(batch, b -> b.putShort(21, (short) 0x20)));
        validate("producer-without-sequence", new Rules(), edited(batch, b -> b.putLong(43, 5).putShort(51, (short) 0)));
        Rules coordinator = new Rules();
        coordinator.coordinator = true;
        validate("marker-from-coordinator", coordinator,
            bytes(MemoryRecords.withEndTransactionMarker(0, T, 3, 77, (short) 2, new EndTransactionMarker(ControlRecordType.COMMIT, 11)).buffer()));
        Rules far = new Rules();
        far.before = 1000;
        validate("timestamp-minimum", far, make(o, List.of(new Rec(0, text("k"), null))));
        validate("all-timeless", far, make(o, List.of(new Rec(RecordBatch.NO_TIMESTAMP, text("k"), null))));
        Options unknown = new Options();
        unknown.transactional = true;
        unknown.producerId = 4;
        unknown.epoch = 3;
        unknown.sequence = 0;
        validate("transactional", new Rules(), make(unknown, near));
    }

    private static void produce(int version, byte[] records) {
        String result = "NONE";
        try {
            ProduceRequest.validateRecords((short) version, MemoryRecords.readableRecords(ByteBuffer.wrap(records)));
        } catch (ApiException e) {
            result = Errors.forException(e).name();
        } catch (RuntimeException e) {
            result = "UNKNOWN_SERVER_ERROR";
        }
        OUT.printf("P %d %s %s%n", version, hex(records), result);
    }

    private static byte[] join(byte[] a, byte[] b) {
        byte[] out = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, out, a.length, b.length);
        return out;
    }

    private static void produces() {
        Options o = new Options();
        List<Rec> near = List.of(new Rec(T, text("a"), text("1")));
        byte[] batch = make(o, near);
        produce(9, batch);
        produce(9, new byte[0]);
        produce(9, new byte[16]);
        produce(9, join(batch, batch));
        produce(9, join(batch, Arrays.copyOf(batch, 16)));
        produce(9, join(batch, Arrays.copyOf(batch, 40)));
        produce(9, Arrays.copyOf(batch, batch.length - 1));
        for (int magic : new int[] {0, 1, 3, -1}) produce(9, edited(batch, b -> b.put(16, (byte) magic)));
        produce(9, edited(batch, b -> b.putInt(8, 13)));
        produce(9, edited(batch, b -> b.putInt(8, -1)));
        produce(9, edited(batch, b -> b.putInt(8, Integer.MAX_VALUE)));
        o.compression = Compression.zstd().build();
        produce(6, make(o, near));
        produce(7, make(o, near));
    }

    public static void main(String[] args) {
        OUT.println("# Made by test/compat/java/GoldenBatches.java with Apache Kafka 4.4.0. Not to be edited.");
        batches();
        validations();
        produces();
    }
}
