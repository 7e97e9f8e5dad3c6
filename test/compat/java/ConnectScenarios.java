import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.cli.ConnectDistributed;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.runtime.Connect;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** Kafka Connect's distributed worker, with a source that counts and a sink that collects. */
public final class ConnectScenarios {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        registerServices();
        Scenarios all = new Scenarios();
        all.add("a source and a sink, two workers, offsets and configs kept in compacted topics", ConnectScenarios::distributed);
        all.add("kill -9 and a clean restart of the broker under running connectors", ConnectScenarios::survive);
        all.main(args);
    }

    /** What a connector's jar brings along; there is none here, so it goes beside the classes. */
    private static void registerServices() throws Exception {
        Path services = Path.of(ConnectScenarios.class.getProtectionDomain().getCodeSource().getLocation().toURI()).resolve("META-INF/services");
        Files.createDirectories(services);
        for (Class<?> each : List.of(CountingSource.class, CollectingSink.class)) {
            Files.writeString(services.resolve(each.getSuperclass().getName()), each.getName() + "\n");
        }
    }

    /** A worker of the group, with a REST address of its own. */
    private record Worker(Connect<?> connect, String url) {
        static Worker start(String bootstrap, String group) throws Exception {
            int port;
            try (ServerSocket free = new ServerSocket(0)) {
                port = free.getLocalPort();
            }
            String url = "http://127.0.0.1:" + port;
            Map<String, String> config = new HashMap<>(Map.of(
                "bootstrap.servers", bootstrap, "group.id", group, "listeners", url, "key.converter", "org.apache.kafka.connect.json.JsonConverter",
                "value.converter", "org.apache.kafka.connect.json.JsonConverter", "config.storage.topic", group + "-configs",
                "offset.storage.topic", group + "-offsets", "status.storage.topic", group + "-status"));
            for (String topic : List.of("config", "offset", "status")) config.put(topic + ".storage.replication.factor", "1");
            // Its connectors are found as services: to search a hundred jars takes long.
            config.put("plugin.discovery", "service_load");
            config.put("offset.flush.interval.ms", "200");
            config.put("scheduled.rebalance.max.delay.ms", "0");
            config.put("session.timeout.ms", "6000");
            config.put("heartbeat.interval.ms", "500");
            Connect<?> connect = new ConnectDistributed().startConnect(config);
            return new Worker(connect, url);
        }

        void stop() {
            connect.stop();
            connect.awaitStop();
        }

        HttpResponse<String> call(String method, String path, String body) throws Exception {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path)).header("Content-Type", "application/json");
            request.method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
            return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }

        /** While a group rebalances a worker answers 409: one asks again. */
        void put(String path, Map<String, String> config) throws Exception {
            String body = config == null ? null : JSON.writeValueAsString(config);
            Scenarios.waitFor(path, () -> call("PUT", path, body).statusCode() / 100 == 2);
        }

        boolean runs(String connector, int tasks) throws Exception {
            HttpResponse<String> answer = call("GET", "/connectors/" + connector + "/status", null);
            if (answer.statusCode() != 200) return false;
            JsonNode status = JSON.readTree(answer.body());
            List<String> states = new ArrayList<>(List.of(status.get("connector").get("state").asText()));
            status.get("tasks").forEach(task -> states.add(task.get("state").asText()));
            return states.size() == tasks + 1 && Set.copyOf(states).equals(Set.of("RUNNING"));
        }
    }

    public static final class CountingSource extends SourceConnector {
        private Map<String, String> config;

        @Override public void start(Map<String, String> given) { config = given; }
        @Override public Class<? extends Task> taskClass() { return CountingTask.class; }
        @Override public void stop() { }
        @Override public ConfigDef config() { return new ConfigDef(); }
        @Override public String version() { return "1"; }

        @Override public List<Map<String, String>> taskConfigs(int most) {
            List<Map<String, String>> tasks = new ArrayList<>();
            for (int i = 0; i < most; i += 1) {
                Map<String, String> task = new HashMap<>(config);
                task.put("part", String.valueOf(i));
                tasks.add(task);
            }
            return tasks;
        }
    }

    /** Numbers each record, and goes on from the offset that Connect has kept. */
    public static final class CountingTask extends SourceTask {
        private Map<String, String> config;
        private Map<String, String> part;
        private long next;

        @Override public String version() { return "1"; }
        @Override public void stop() { }

        @Override public void start(Map<String, String> given) {
            config = given;
            part = Map.of("part", given.get("part"));
            Map<String, Object> kept = context.offsetStorageReader().offset(part);
            next = kept == null ? 0 : (Long) kept.get("next");
        }

        @Override public List<SourceRecord> poll() throws InterruptedException {
            Thread.sleep(10);
            List<SourceRecord> records = new ArrayList<>();
            for (int i = 0; i < 5; i += 1) {
                next += 1;
                records.add(new SourceRecord(part, Map.of("next", next), config.get("topic"), Schema.STRING_SCHEMA, part.get("part"), Schema.STRING_SCHEMA, part.get("part") + ":" + next));
            }
            return records;
        }
    }

    public static final class CollectingSink extends SinkConnector {
        private Map<String, String> config;

        @Override public void start(Map<String, String> given) { config = given; }
        @Override public Class<? extends Task> taskClass() { return CollectingTask.class; }
        @Override public List<Map<String, String>> taskConfigs(int most) { return new ArrayList<>(Collections.nCopies(most, config)); }
        @Override public void stop() { }
        @Override public ConfigDef config() { return new ConfigDef(); }
        @Override public String version() { return "1"; }
    }

    public static final class CollectingTask extends SinkTask {
        static final Map<String, Integer> COLLECTED = new ConcurrentHashMap<>();

        @Override public String version() { return "1"; }
        @Override public void start(Map<String, String> config) { }
        @Override public void stop() { }
        @Override public void put(Collection<SinkRecord> records) { records.forEach(each -> COLLECTED.merge((String) each.value(), 1, Integer::sum)); }
    }

    /** The longest run 1, 2, 3, ... that has come out of a part. */
    private static long reached(int part) {
        long last = 0;
        while (CollectingTask.COLLECTED.containsKey(part + ":" + (last + 1))) last += 1;
        return last;
    }

    private static void progress(int more) throws Exception {
        long first = reached(0);
        long second = reached(1);
        Scenarios.waitFor("progress", () -> reached(0) > first + more && reached(1) > second + more);
    }

    private static void create(Worker worker, String topic) throws Exception {
        worker.put("/connectors/source/config", Map.of("connector.class", CountingSource.class.getName(), "tasks.max", "2", "topic", topic));
        worker.put("/connectors/sink/config", Map.of("connector.class", CollectingSink.class.getName(), "tasks.max", "2", "topics", topic));
        Scenarios.waitFor("both connectors", () -> worker.runs("source", 2) && worker.runs("sink", 2));
    }

    private static String newTopic(String bootstrap) throws Exception {
        String topic = Scenarios.fresh("connected");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(topic, 4, (short) 1))).all().get();
        }
        return topic;
    }

    private static void distributed(String bootstrap) throws Exception {
        String group = Scenarios.fresh("connect");
        String topic = newTopic(bootstrap);
        Worker one = Worker.start(bootstrap, group);
        create(one, topic);
        progress(100);
        Worker two = Worker.start(bootstrap, group);
        Scenarios.waitFor("both connectors on two workers", () -> two.runs("source", 2) && two.runs("sink", 2));
        progress(100);
        one.stop();
        Scenarios.waitFor("both connectors on one worker", () -> two.runs("source", 2) && two.runs("sink", 2));
        progress(100);
        two.put("/connectors/source/pause", null);
        Scenarios.waitFor("a paused source", () -> two.call("GET", "/connectors/source/status", null).body().contains("PAUSED"));
        two.put("/connectors/source/resume", null);
        progress(50);
        two.put("/connectors/source/stop", null);
        Scenarios.waitFor("a source that stopped", () -> two.call("GET", "/connectors/source/status", null).body().contains("STOPPED"));
        JsonNode offsets = JSON.readTree(two.call("GET", "/connectors/source/offsets", null).body()).get("offsets");
        Scenarios.equal(offsets.size(), 2);
        two.stop();
        // A new worker finds configs and offsets in their topics.
        Worker three = Worker.start(bootstrap, group);
        Scenarios.waitFor("the connectors that were kept", () -> JSON.readTree(three.call("GET", "/connectors", null).body()).size() == 2);
        Scenarios.equal(JSON.readTree(three.call("GET", "/connectors/source/offsets", null).body()).get("offsets"), offsets);
        three.put("/connectors/source/resume", null);
        progress(50);
        Scenarios.waitFor("a deleted connector", () -> three.call("DELETE", "/connectors/source", null).statusCode() == 204);
        three.stop();
        // Clean stops only: each record came once.
        CollectingTask.COLLECTED.forEach((value, count) -> Scenarios.check(count == 1, value + " came " + count + " times"));
    }

    private static void survive(String bootstrap) throws Exception {
        Worker worker = Worker.start(bootstrap, Scenarios.fresh("connect"));
        create(worker, newTopic(bootstrap));
        for (String end : List.of("kill9", "stop")) {
            progress(100);
            Scenarios.broker(end);
            Scenarios.broker("start");
        }
        progress(100);
        Scenarios.check(worker.runs("source", 2) && worker.runs("sink", 2), worker.call("GET", "/connectors/source/status", null).body());
        worker.stop();
    }
}
