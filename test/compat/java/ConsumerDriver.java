import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** One consumer. Partitions are written "topic-0", in commands and answers. */
final class ConsumerDriver implements ClientDriver.Driven {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private int assignments;
    private int losses;

    ConsumerDriver(Properties config) {
        consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    @Override
    public Object run(String op, JsonNode command) throws Exception {
        switch (op) {
            case "subscribe":
                consumer.subscribe(texts(command.get("topics")), new Listener());
                return null;
            case "subscribePattern":
                consumer.subscribe(java.util.regex.Pattern.compile(command.get("pattern").asText()), new Listener());
                return null;
            case "assign":
                consumer.assign(partitions(command.get("partitions")));
                return null;
            case "seek":
                consumer.seek(partition(command.get("partition").asText()), command.get("offset").asLong());
                return null;
            case "seekToBeginning":
                consumer.seekToBeginning(consumer.assignment());
                return null;
            case "seekToEnd":
                consumer.seekToEnd(consumer.assignment());
                return null;
            case "position":
                return consumer.position(partition(command.get("partition").asText()));
            case "poll":
                return poll(command.path("count").asInt(1), command.path("timeoutMs").asLong(20000));
            case "pollOnce":
                consumer.poll(Duration.ofMillis(50));
                return names(consumer.assignment());
            case "assignment":
                return names(consumer.assignment());
            case "rebalances":
                return Map.of("assigned", assignments, "lost", losses);
            case "commit":
                consumer.commitSync();
                return null;
            case "commitOffsets":
                consumer.commitSync(offsets(command.get("offsets")));
                return null;
            case "committed":
                return committed(command);
            case "beginningOffsets":
                return keyed(consumer.beginningOffsets(partitions(command.get("partitions"))));
            case "endOffsets":
                return keyed(consumer.endOffsets(partitions(command.get("partitions"))));
            case "offsetsForTimes":
                return offsetsForTimes(command.get("times"));
            case "partitionsFor":
                return consumer.partitionsFor(command.get("topic").asText()).size();
            case "listTopics":
                return new TreeSet<>(consumer.listTopics().keySet());
            case "groupMetadata":
                return Map.of("generation", consumer.groupMetadata().generationId(), "memberId", consumer.groupMetadata().memberId());
            case "enforceRebalance":
                consumer.enforceRebalance();
                return null;
            case "close":
                consumer.close();
                return null;
            default:
                throw new IllegalArgumentException("no consumer operation " + op);
        }
    }

    private final class Listener implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            assignments += 1;
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            losses += 1;
        }
    }

    private List<Map<String, Object>> poll(int count, long timeoutMs) {
        List<Map<String, Object>> records = new ArrayList<>();
        long deadline = System.nanoTime() + timeoutMs * 1_000_000;
        while (records.size() < count && System.nanoTime() < deadline) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) records.add(plain(record));
        }
        return records;
    }

    private static Map<String, Object> plain(ConsumerRecord<byte[], byte[]> record) {
        Map<String, Object> plain = new LinkedHashMap<>();
        plain.put("partition", record.partition());
        plain.put("offset", record.offset());
        plain.put("timestamp", record.timestamp());
        plain.put("timestampType", record.timestampType().name);
        plain.put("key", text(record.key()));
        plain.put("value", text(record.value()));
        plain.put("leaderEpoch", record.leaderEpoch().orElse(-1));
        List<List<String>> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            List<String> pair = new ArrayList<>();
            pair.add(header.key());
            pair.add(text(header.value()));
            headers.add(pair);
        }
        plain.put("headers", headers);
        return plain;
    }

    private Map<String, Object> committed(JsonNode command) {
        Map<String, Object> result = new TreeMap<>();
        consumer.committed(new java.util.HashSet<>(partitions(command.get("partitions")))).forEach(
            (partition, offset) -> result.put(partition.toString(), offset == null ? null : Map.of("offset", offset.offset(), "metadata", offset.metadata())));
        return result;
    }

    private Map<String, Object> offsetsForTimes(JsonNode times) {
        Map<TopicPartition, Long> asked = new HashMap<>();
        times.fields().forEachRemaining(each -> asked.put(partition(each.getKey()), each.getValue().asLong()));
        Map<String, Object> result = new TreeMap<>();
        consumer.offsetsForTimes(asked).forEach(
            (partition, found) -> result.put(partition.toString(), found == null ? null : Map.of("offset", found.offset(), "timestamp", found.timestamp())));
        return result;
    }

    static Map<TopicPartition, OffsetAndMetadata> offsets(JsonNode node) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        node.fields().forEachRemaining(each -> {
            JsonNode value = each.getValue();
            offsets.put(partition(each.getKey()), value.isObject()
                ? new OffsetAndMetadata(value.get("offset").asLong(), value.get("metadata").asText())
                : new OffsetAndMetadata(value.asLong()));
        });
        return offsets;
    }

    static TopicPartition partition(String name) {
        int dash = name.lastIndexOf('-');
        return new TopicPartition(name.substring(0, dash), Integer.parseInt(name.substring(dash + 1)));
    }

    static List<TopicPartition> partitions(JsonNode names) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (JsonNode name : names) partitions.add(partition(name.asText()));
        return partitions;
    }

    static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        for (JsonNode each : array) texts.add(each.asText());
        return texts;
    }

    static Set<String> names(Collection<TopicPartition> partitions) {
        Set<String> names = new TreeSet<>();
        for (TopicPartition partition : partitions) names.add(partition.toString());
        return names;
    }

    private static Map<String, Object> keyed(Map<TopicPartition, Long> offsets) {
        Map<String, Object> result = new TreeMap<>();
        offsets.forEach((partition, offset) -> result.put(partition.toString(), offset));
        return result;
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }
}
