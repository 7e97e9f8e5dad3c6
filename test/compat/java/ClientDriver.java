import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Apache Kafka's Java clients, driven over standard input: one JSON object a line comes in, {"id", "object", "op", ...}, and one
 * goes out for each, {"id", "ok", "result"} or {"id", "ok": false, "error": class, "message"}. Every object ("admin", or a
 * producer or consumer named by its "new" command) has one thread, so its commands keep their order.
 */
public final class ClientDriver {
    static final ObjectMapper JSON = new ObjectMapper();

    interface Driven {
        Object run(String op, JsonNode command) throws Exception;
    }

    private final String bootstrap;
    private final PrintStream out;
    private final Map<String, Driven> objects = new ConcurrentHashMap<>();
    private final Map<String, ExecutorService> threads = new ConcurrentHashMap<>();

    private ClientDriver(String bootstrap, PrintStream out) {
        this.bootstrap = bootstrap;
        this.out = out;
    }

    public static void main(String[] args) throws Exception {
        new ClientDriver(args[0], new PrintStream(System.out, true, StandardCharsets.UTF_8)).serve();
    }

    private void serve() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode command = JSON.readTree(line);
            String object = command.get("object").asText();
            threads.computeIfAbsent(object, name -> Executors.newSingleThreadExecutor()).submit(() -> answer(object, command));
        }
        for (ExecutorService thread : threads.values()) thread.shutdown();
        for (ExecutorService thread : threads.values()) thread.awaitTermination(20, TimeUnit.SECONDS);
        System.exit(0);
    }

    private void answer(String object, JsonNode command) {
        ObjectNode reply = JSON.createObjectNode();
        reply.set("id", command.get("id"));
        try {
            Object result = run(object, command.get("op").asText(), command);
            reply.put("ok", true);
            reply.set("result", JSON.valueToTree(result));
        } catch (Throwable thrown) {
            Throwable cause = thrown instanceof ExecutionException && thrown.getCause() != null ? thrown.getCause() : thrown;
            reply.put("ok", false);
            reply.put("error", cause.getClass().getSimpleName());
            reply.put("message", String.valueOf(cause.getMessage()));
        }
        synchronized (out) {
            out.println(reply);
        }
    }

    private Object run(String object, String op, JsonNode command) throws Exception {
        switch (op) {
            case "newAdmin":
                objects.put(object, new AdminDriver(config(command)));
                return null;
            case "newProducer":
                objects.put(object, new ProducerDriver(config(command)));
                return null;
            case "newConsumer":
                objects.put(object, new ConsumerDriver(config(command)));
                return null;
            default:
                Driven driven = objects.get(object);
                if (driven == null) throw new IllegalStateException("there is no object " + object);
                return driven.run(op, command);
        }
    }

    private java.util.Properties config(JsonNode command) {
        java.util.Properties properties = new java.util.Properties();
        properties.put("bootstrap.servers", bootstrap);
        JsonNode given = command.path("config");
        given.fields().forEachRemaining(each -> properties.put(each.getKey(), each.getValue().asText()));
        return properties;
    }
}
