import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;

/** What the programs of scenarios share: the list of them, and the way to ask for a restart of the broker. */
final class Scenarios {
    interface Scenario {
        void run(String bootstrap) throws Exception;
    }

    private static final BufferedReader IN = new BufferedReader(new InputStreamReader(System.in));
    private final Map<String, Scenario> scenarios = new LinkedHashMap<>();

    void add(String name, Scenario scenario) {
        scenarios.put(name, scenario);
    }

    /** A scenario about what a broker lacks, and Kafka does not lack it. */
    void addButKafka(String name, Scenario scenario) {
        if (!"kafka".equals(System.getenv("SLUICE_COMPAT_TARGET"))) add(name, scenario);
    }

    void main(String[] args) {
        if (args[0].equals("--list")) {
            scenarios.keySet().forEach(System.out::println);
            return;
        }
        int code = 0;
        try {
            scenarios.get(args[1]).run(args[0]);
        } catch (Throwable failure) {
            failure.printStackTrace();
            code = 1;
        }
        System.exit(code);
    }

    /** stop, start or kill9. */
    static void broker(String request) throws Exception {
        System.out.println("broker: " + request);
        String answer = IN.readLine();
        check("done".equals(answer), "the broker: " + answer);
    }

    static void check(boolean holds, Object message) {
        if (!holds) throw new AssertionError(message);
    }

    static void equal(Object got, Object expected) {
        check(Objects.equals(got, expected), "got " + got + "\nexpected " + expected);
    }

    static void waitFor(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + 90_000_000_000L;
        while (!condition.call()) {
            check(System.nanoTime() < deadline, "never came: " + what);
            Thread.sleep(20);
        }
    }

    static String fresh(String purpose) {
        return purpose + "-" + UUID.randomUUID().toString().substring(0, 8);
    }

    static Path temporary() throws Exception {
        Path path = Files.createTempDirectory("sluice-scenario");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(path.toFile())));
        return path;
    }

    static void remove(File file) {
        File[] inside = file.listFiles();
        if (inside != null) for (File each : inside) remove(each);
        file.delete();
    }
}
