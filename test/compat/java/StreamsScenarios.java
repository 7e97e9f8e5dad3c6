import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.tools.StreamsResetter;

/** Kafka Streams: stateless and stateful topologies, their internal topics, restarts and restoring. */
public final class StreamsScenarios {
    private static final int PARTITIONS = 4;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    public static void main(String[] args) {
        Scenarios all = new Scenarios();
        all.add("stateless: filter, map, split and merge", StreamsScenarios::stateless);
        all.add("windowed counts through repartition and changelog topics, restored after the local state is gone", StreamsScenarios::stateful);
        all.add("a table joined with a stream", StreamsScenarios::joined);
        all.add("two instances share the tasks, a standby takes over when one leaves", StreamsScenarios::twoInstances);
        all.add("kill -9 and a clean restart of the broker under a running application", StreamsScenarios::survive);
        all.add("an application is reset by Kafka's tool", StreamsScenarios::reset);
        all.addButKafka("exactly_once_v2 fails with a clear error", bootstrap -> refused(bootstrap, "processing.guarantee", "exactly_once_v2"));
        all.addButKafka("group.protocol=streams fails with a clear error", bootstrap -> refused(bootstrap, "group.protocol", "streams"));
        all.main(args);
    }

    private static Properties config(String bootstrap, String application, Path state, String... more) {
        Properties properties = new Properties();
        properties.put("application.id", application);
        properties.put("bootstrap.servers", bootstrap);
        properties.put("state.dir", state.toString());
        properties.put("default.key.serde", Serdes.StringSerde.class);
        properties.put("default.value.serde", Serdes.StringSerde.class);
        properties.put("commit.interval.ms", "100");
        properties.put("replication.factor", "1");
        properties.put("auto.offset.reset", "earliest");
        properties.put("session.timeout.ms", "6000");
        properties.put("heartbeat.interval.ms", "500");
        for (int i = 0; i < more.length; i += 2) properties.put(more[i], more[i + 1]);
        return properties;
    }

    private static KafkaStreams start(StreamsBuilder builder, Properties properties) throws Exception {
        KafkaStreams streams = new KafkaStreams(builder.build(), properties);
        streams.start();
        Scenarios.waitFor("a running application", () -> streams.state() == KafkaStreams.State.RUNNING);
        return streams;
    }

    private static void create(String bootstrap, String... topics) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            List<NewTopic> wanted = new ArrayList<>();
            for (String topic : topics) wanted.add(new NewTopic(topic, PARTITIONS, (short) 1));
            admin.createTopics(wanted).all().get();
        }
    }

    private static void send(String bootstrap, String topic, List<KeyValue<String, String>> records, long timestamp) {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (KeyValue<String, String> each : records) producer.send(new ProducerRecord<>(topic, null, timestamp, each.key, each.value));
        }
    }

    /** Follows a topic, and knows the last value of each key. */
    private static final class Follower implements AutoCloseable {
        final KafkaConsumer<String, String> consumer;
        final Map<String, String> last = new TreeMap<>();
        final List<String> values = new ArrayList<>();

        Follower(String bootstrap, String topic) {
            consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "earliest"), new StringDeserializer(), new StringDeserializer());
            List<TopicPartition> partitions = new ArrayList<>();
            for (int i = 0; i < PARTITIONS; i += 1) partitions.add(new TopicPartition(topic, i));
            consumer.assign(partitions);
        }

        Follower poll() {
            for (ConsumerRecord<String, String> each : consumer.poll(Duration.ofMillis(50))) {
                last.put(each.key(), each.value());
                values.add(each.value());
            }
            return this;
        }

        @Override
        public void close() {
            consumer.close();
        }
    }

    private static void stateless(String bootstrap) throws Exception {
        String in = Scenarios.fresh("in");
        String out = Scenarios.fresh("out");
        create(bootstrap, in, out);
        List<KeyValue<String, String>> records = new ArrayList<>();
        for (int i = 0; i < 1000; i += 1) records.add(KeyValue.pair("k" + i, String.valueOf(i)));
        send(bootstrap, in, records, System.currentTimeMillis());
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> numbers = builder.<String, String>stream(in).filter((k, v) -> Integer.parseInt(v) % 3 != 0);
        KStream<String, String> even = numbers.filter((k, v) -> Integer.parseInt(v) % 2 == 0).mapValues(v -> "even " + v);
        KStream<String, String> odd = numbers.filterNot((k, v) -> Integer.parseInt(v) % 2 == 0).map((k, v) -> KeyValue.pair(v, "odd " + v));
        even.merge(odd).to(out);
        Set<String> expected = new HashSet<>();
        for (int i = 0; i < 1000; i += 1) if (i % 3 != 0) expected.add((i % 2 == 0 ? "even " : "odd ") + i);
        KafkaStreams streams = start(builder, config(bootstrap, Scenarios.fresh("stateless"), Scenarios.temporary(), "num.stream.threads", "2"));
        try (Follower follower = new Follower(bootstrap, out)) {
            Scenarios.waitFor("all records", () -> new HashSet<>(follower.poll().values).size() >= expected.size());
            Scenarios.equal(new HashSet<>(follower.values), expected);
        }
        Scenarios.check(streams.close(TIMEOUT), "the application does not close");
    }

    private static final long WINDOW_MS = 60_000;

    /** Counts words in windows of a minute, which takes a repartition and a changelog topic. */
    private static StreamsBuilder counting(String in, String out) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(in, Consumed.with(Serdes.String(), Serdes.String()))
            .flatMapValues(line -> List.of(line.split(" ")))
            .groupBy((k, word) -> word, Grouped.as("words"))
            .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(WINDOW_MS)))
            .count(Materialized.as("counts"))
            .toStream((key, count) -> key.key() + "@" + key.window().start())
            .mapValues(String::valueOf)
            .to(out, Produced.with(Serdes.String(), Serdes.String()));
        return builder;
    }

    private static List<KeyValue<String, String>> lines(int count) {
        List<KeyValue<String, String>> lines = new ArrayList<>();
        for (int i = 0; i < count; i += 1) lines.add(KeyValue.pair("line" + i, "w" + i % 10 + " w" + i % 7 + " all"));
        return lines;
    }

    private static Map<String, String> expected(int count, long window) {
        Map<String, Integer> counts = new HashMap<>();
        for (KeyValue<String, String> line : lines(count)) for (String word : line.value.split(" ")) counts.merge(word, 1, Integer::sum);
        Map<String, String> expected = new TreeMap<>();
        counts.forEach((word, n) -> expected.put(word + "@" + window, String.valueOf(n)));
        return expected;
    }

    private static void stateful(String bootstrap) throws Exception {
        String in = Scenarios.fresh("in");
        String out = Scenarios.fresh("out");
        String application = Scenarios.fresh("counting");
        create(bootstrap, in, out);
        long window = System.currentTimeMillis() / WINDOW_MS * WINDOW_MS;
        send(bootstrap, in, lines(300), window + 1);
        Path state = Scenarios.temporary();
        KafkaStreams streams = start(counting(in, out), config(bootstrap, application, state));
        try (Follower follower = new Follower(bootstrap, out)) {
            Scenarios.waitFor("the first counts", () -> follower.poll().last.equals(expected(300, window)));
            Scenarios.check(streams.close(TIMEOUT), "the application does not close");
            // All local state is gone: it comes back from the changelog topic.
            Scenarios.remove(state.toFile());
            KafkaStreams again = start(counting(in, out), config(bootstrap, application, Scenarios.temporary()));
            send(bootstrap, in, lines(300).subList(0, 100), window + 2);
            Scenarios.waitFor("the next counts", () -> "400".equals(follower.poll().last.get("all@" + window)));
            // And the application answers for its store.
            Map<String, String> store = new TreeMap<>();
            var counts = again.store(StoreQueryParameters.fromNameAndType("counts", QueryableStoreTypes.<String, Long>windowStore()));
            try (var all = counts.all()) {
                all.forEachRemaining(each -> store.put(each.key.key() + "@" + each.key.window().start(), String.valueOf(each.value)));
            }
            Scenarios.waitFor("what the store says", () -> follower.poll().last.equals(store));
            Scenarios.check(again.close(TIMEOUT), "the application does not close");
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Set<String> topics = admin.listTopics().names().get();
            Scenarios.check(topics.contains(application + "-words-repartition") && topics.contains(application + "-counts-changelog"), topics);
        }
    }

    private static void joined(String bootstrap) throws Exception {
        String users = Scenarios.fresh("users");
        String clicks = Scenarios.fresh("clicks");
        String out = Scenarios.fresh("out");
        create(bootstrap, users, clicks, out);
        List<KeyValue<String, String>> names = new ArrayList<>();
        List<KeyValue<String, String>> pages = new ArrayList<>();
        for (int i = 0; i < 50; i += 1) names.add(KeyValue.pair("u" + i, "name" + i));
        names.add(KeyValue.pair("u1", null));
        for (int i = 0; i < 200; i += 1) pages.add(KeyValue.pair("u" + i % 50, "page" + i));
        long now = System.currentTimeMillis();
        send(bootstrap, users, names, now - 1000);
        send(bootstrap, clicks, pages, now);
        StreamsBuilder builder = new StreamsBuilder();
        KTable<String, String> table = builder.table(users);
        builder.<String, String>stream(clicks).join(table, (page, name) -> name + " " + page).to(out);
        Set<String> expected = new HashSet<>();
        for (int i = 0; i < 200; i += 1) if (i % 50 != 1) expected.add("name" + i % 50 + " page" + i);
        KafkaStreams streams = start(builder, config(bootstrap, Scenarios.fresh("join"), Scenarios.temporary(), "topology.optimization", "all"));
        try (Follower follower = new Follower(bootstrap, out)) {
            Scenarios.waitFor("all pairs", () -> new HashSet<>(follower.poll().values).size() >= expected.size());
            Scenarios.equal(new HashSet<>(follower.values), expected);
        }
        Scenarios.check(streams.close(TIMEOUT), "the application does not close");
    }

    private static void twoInstances(String bootstrap) throws Exception {
        String in = Scenarios.fresh("in");
        String out = Scenarios.fresh("out");
        String application = Scenarios.fresh("two");
        create(bootstrap, in, out);
        long window = System.currentTimeMillis() / WINDOW_MS * WINDOW_MS;
        String[] standby = {"num.standby.replicas", "1", "acceptable.recovery.lag", "0", "probing.rebalance.interval.ms", "60000"};
        KafkaStreams one = start(counting(in, out), config(bootstrap, application, Scenarios.temporary(), standby));
        KafkaStreams two = start(counting(in, out), config(bootstrap, application, Scenarios.temporary(), standby));
        Scenarios.waitFor("both to run", () -> one.state() == KafkaStreams.State.RUNNING && two.state() == KafkaStreams.State.RUNNING);
        try (Follower follower = new Follower(bootstrap, out)) {
            send(bootstrap, in, lines(200), window + 1);
            Scenarios.waitFor("the first counts", () -> follower.poll().last.equals(expected(200, window)));
            Scenarios.check(one.close(new KafkaStreams.CloseOptions().leaveGroup(true).timeout(TIMEOUT)), "the application does not close");
            send(bootstrap, in, lines(200), window + 2);
            Scenarios.waitFor("the next counts", () -> "400".equals(follower.poll().last.get("all@" + window)));
        }
        Scenarios.check(two.close(TIMEOUT), "the application does not close");
    }

    private static void survive(String bootstrap) throws Exception {
        String in = Scenarios.fresh("in");
        String out = Scenarios.fresh("out");
        create(bootstrap, in, out);
        long window = System.currentTimeMillis() / WINDOW_MS * WINDOW_MS;
        AtomicReference<Throwable> failure = new AtomicReference<>();
        KafkaStreams streams = new KafkaStreams(counting(in, out).build(), config(bootstrap, Scenarios.fresh("survive"), Scenarios.temporary()));
        streams.setUncaughtExceptionHandler(thrown -> {
            failure.set(thrown);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        Scenarios.waitFor("a running application", () -> streams.state() == KafkaStreams.State.RUNNING);
        try (Follower follower = new Follower(bootstrap, out)) {
            int sent = 0;
            for (String end : List.of("kill9", "stop", "kill9")) {
                send(bootstrap, in, lines(100), window + 1);
                sent += 100;
                long least = sent;
                // At least once: a count may be too high after a crash, never too low.
                Scenarios.waitFor("the counts", () -> Long.parseLong(follower.poll().last.getOrDefault("all@" + window, "0")) >= least);
                Scenarios.broker(end);
                Scenarios.broker("start");
            }
            send(bootstrap, in, lines(100), window + 1);
            long least = sent + 100;
            Scenarios.waitFor("the last counts", () -> Long.parseLong(follower.poll().last.get("all@" + window)) >= least);
        }
        Scenarios.equal(failure.get(), null);
        Scenarios.check(streams.close(TIMEOUT), "the application does not close");
    }

    private static void reset(String bootstrap) throws Exception {
        String in = Scenarios.fresh("in");
        String out = Scenarios.fresh("out");
        String application = Scenarios.fresh("reset");
        create(bootstrap, in, out);
        long window = System.currentTimeMillis() / WINDOW_MS * WINDOW_MS;
        send(bootstrap, in, lines(50), window + 1);
        KafkaStreams streams = start(counting(in, out), config(bootstrap, application, Scenarios.temporary()));
        try (Follower follower = new Follower(bootstrap, out)) {
            Scenarios.waitFor("the counts", () -> follower.poll().last.equals(expected(50, window)));
            streams.close(new KafkaStreams.CloseOptions().leaveGroup(true).timeout(TIMEOUT));
            int code = new StreamsResetter().execute(new String[] {"--bootstrap-server", bootstrap, "--application-id", application, "--input-topics", in, "--force"});
            Scenarios.equal(code, 0);
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
                Scenarios.check(admin.listTopics().names().get().stream().noneMatch(name -> name.startsWith(application)), "internal topics are still there");
            }
            int before = follower.values.size();
            KafkaStreams again = start(counting(in, out), config(bootstrap, application, Scenarios.temporary()));
            Scenarios.waitFor("the counts once more", () -> follower.poll().values.size() > before && follower.last.equals(expected(50, window)));
            again.close(TIMEOUT);
        }
    }

    private static void refused(String bootstrap, String property, String value) throws Exception {
        String in = Scenarios.fresh("in");
        String out = Scenarios.fresh("out");
        create(bootstrap, in, out);
        send(bootstrap, in, lines(10), System.currentTimeMillis());
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try {
            KafkaStreams streams = new KafkaStreams(counting(in, out).build(), config(bootstrap, Scenarios.fresh("refused"), Scenarios.temporary(), property, value));
            streams.setUncaughtExceptionHandler(thrown -> {
                failure.set(thrown);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.start();
        } catch (Exception thrown) {
            failure.set(thrown);
        }
        Scenarios.waitFor("an error", () -> failure.get() != null);
        String all = "";
        for (Throwable each = failure.get(); each != null; each = each.getCause()) all += each + "\n";
        System.out.println(all);
        boolean isTransactional = property.equals("processing.guarantee");
        Scenarios.check(all.contains(isTransactional ? "TransactionalIdAuthorizationException" : "UnsupportedVersionException"), all);
    }
}
