import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** One producer. Keys and values are text in the commands and UTF-8 on the wire; null stays null. */
final class ProducerDriver implements ClientDriver.Driven {
    private final KafkaProducer<byte[], byte[]> producer;

    ProducerDriver(Properties config) {
        producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    @Override
    public Object run(String op, JsonNode command) throws Exception {
        switch (op) {
            case "send":
                return send(command);
            case "partitionsFor":
                return producer.partitionsFor(command.get("topic").asText()).size();
            case "initTransactions":
                producer.initTransactions();
                return null;
            case "close":
                producer.close();
                return null;
            default:
                throw new IllegalArgumentException("no producer operation " + op);
        }
    }

    /** Sends all records, then waits for all: the answer has offset and partition, or the error's class, of each. */
    private List<Map<String, Object>> send(JsonNode command) throws InterruptedException {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        List<Map<String, Object>> results = new ArrayList<>();
        for (JsonNode each : command.get("records")) sent.add(producer.send(record(command.get("topic").asText(), each)));
        producer.flush();
        for (Future<RecordMetadata> future : sent) {
            Map<String, Object> result = new LinkedHashMap<>();
            try {
                RecordMetadata metadata = future.get();
                result.put("partition", metadata.partition());
                result.put("offset", metadata.hasOffset() ? metadata.offset() : -1);
                result.put("timestamp", metadata.timestamp());
            } catch (ExecutionException failed) {
                result.put("error", failed.getCause().getClass().getSimpleName());
                result.put("message", failed.getCause().getMessage());
            }
            results.add(result);
        }
        return results;
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, JsonNode each) {
        Integer partition = each.has("partition") ? each.get("partition").asInt() : null;
        Long timestamp = each.has("timestamp") ? each.get("timestamp").asLong() : null;
        ProducerRecord<byte[], byte[]> record =
            new ProducerRecord<>(topic, partition, timestamp, bytes(each.get("key")), bytes(each.get("value")));
        for (JsonNode header : each.path("headers")) record.headers().add(header.get(0).asText(), bytes(header.get(1)));
        return record;
    }

    private static byte[] bytes(JsonNode text) {
        return text == null || text.isNull() ? null : text.asText().getBytes(StandardCharsets.UTF_8);
    }
}
