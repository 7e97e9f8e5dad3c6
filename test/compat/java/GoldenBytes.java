import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;

/** What Kafka's own classes say: the bytes of messages given as JSON, its error codes, its API keys, a record batch. */
public class GoldenBytes {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "messages" -> messages();
            case "errors" -> errors();
            case "keys" -> keys();
            case "batch" -> batch();
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    /** Lines of class, version and JSON, apart by tabs; each is answered with a line of hex. */
    private static void messages() throws Exception {
        StringBuilder out = new StringBuilder();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split("\t", 3);
            short version = Short.parseShort(parts[1]);
            String answer;
            try {
                Message message = (Message) Class.forName(parts[0] + "JsonConverter")
                    .getMethod("read", JsonNode.class, short.class)
                    .invoke(null, JSON.readTree(parts[2]), version);
                answer = hex(MessageUtil.toByteBufferAccessor(message, version).buffer());
            } catch (ReflectiveOperationException | RuntimeException e) {
                answer = "error " + (e.getCause() == null ? e : e.getCause());
            }
            out.append(answer).append('\n');
        }
        System.out.print(out);
    }

    private static void errors() {
        for (Errors error : Errors.values()) {
            boolean retriable = error.exception() instanceof RetriableException;
            System.out.println(error.code() + " " + error.name() + " " + retriable);
        }
    }

    /** Key, name, oldest, latest stable and latest version; then each version with its two header versions. */
    private static void keys() {
        for (ApiKeys key : ApiKeys.values()) {
            if (!key.hasValidVersion()) continue;
            short latest = key.messageType.highestSupportedVersion(true);
            for (short v = key.oldestVersion(); v <= latest; v++) {
                System.out.println(key.id + " " + key.name + " " + key.oldestVersion() + " " + key.latestVersion(false)
                    + " " + latest + " " + v + " " + key.requestHeaderVersion(v) + " " + key.responseHeaderVersion(v));
            }
        }
    }

    private static void batch() {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(4096), (byte) 2, Compression.NONE,
            TimestampType.CREATE_TIME, 41L, 1000L, 77L, (short) 3, 5, true, false, 9);
        Header[] headers = {new RecordHeader("h", new byte[] {1, 2}), new RecordHeader("leer", null)};
        builder.append(1700000000000L, utf8("key"), utf8("value"), headers);
        builder.append(1699999999000L, null, new byte[300]);
        builder.append(1700000000500L, new byte[0], null);
        System.out.println(hex(builder.build().buffer()));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String hex(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
