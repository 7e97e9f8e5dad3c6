import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Produces numbered records to every partition, idempotently and with acks=all, until its standard input closes; then it flushes and
 * prints "done". Prints one line for each acknowledgement, "partition number offset", and "failed ..." for a record that was given up.
 */
public final class LoopProducer {
    private static final int OUTSTANDING = 500;

    public static void main(String[] args) throws Exception {
        String topic = args[1];
        int partitions = Integer.parseInt(args[2]);
        Properties config = new Properties();
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
        config.put(ProducerConfig.LINGER_MS_CONFIG, "2");
        config.put(ProducerConfig.BATCH_SIZE_CONFIG, "2000");
        config.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, "20");
        config.put(ProducerConfig.RECONNECT_BACKOFF_MS_CONFIG, "20");
        config.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, "200");
        config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, "20000");
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, "300000");
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, "300000");
        AtomicBoolean stopping = new AtomicBoolean();
        Thread watcher = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    // Only the end of the input counts.
                }
            } catch (java.io.IOException closed) {
                // The same.
            }
            stopping.set(true);
        });
        watcher.setDaemon(true);
        watcher.start();
        PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);
        Semaphore outstanding = new Semaphore(OUTSTANDING);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (long number = 0; !stopping.get(); ++number) {
                for (int partition = 0; partition < partitions; ++partition) {
                    outstanding.acquire();
                    int p = partition;
                    long n = number;
                    producer.send(new ProducerRecord<>(topic, p, null, p + ":" + n), (metadata, error) -> {
                        out.println(error == null ? p + " " + n + " " + (metadata.hasOffset() ? metadata.offset() : -1) : "failed " + p + " " + n + " " + error);
                        outstanding.release();
                    });
                }
            }
            producer.flush();
        }
        out.println("done");
    }
}
