// Senders that each send one message and wait for its answer, again and again: RocketSender <name server> <topic> <threads> <bytes> <warm seconds> <seconds>.
// Prints one JSON line. Latencies go into a histogram of 128 steps an octave, as in the native load generator.
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

public final class RocketSender {
  private static final int STEP_BITS = 7;
  private static final double[] PLOTTED = {0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99};
  private static final long LONGEST_START_MS = 240_000;

  private final AtomicLongArray counts = new AtomicLongArray(64 << STEP_BITS);
  private final AtomicLong total = new AtomicLong();
  private final AtomicLong sum = new AtomicLong();

  public static void main(String[] args) throws Exception {
    new RocketSender().run(args[0], args[1], Integer.parseInt(args[2]), Integer.parseInt(args[3]), Double.parseDouble(args[4]), Double.parseDouble(args[5]));
  }

  private void run(String nameServer, String topic, int threads, int bytes, double warmSeconds, double seconds) throws Exception {
    DefaultMQProducer producer = new DefaultMQProducer("sluice-bench");
    producer.setNamesrvAddr(nameServer);
    producer.setVipChannelEnabled(false);
    producer.setRetryTimesWhenSendFailed(0);
    producer.start();
    Message message = new Message(topic, new byte[bytes]);
    awaitBroker(producer, message);
    long start = System.nanoTime();
    long countFrom = start + (long) (warmSeconds * 1e9);
    long until = countFrom + (long) (seconds * 1e9);
    CountDownLatch done = new CountDownLatch(threads);
    AtomicLong failures = new AtomicLong();
    for (int i = 0; i < threads; i++) {
      new Thread(() -> {
        try {
          send(producer, new Message(topic, new byte[bytes]), countFrom, until);
        } catch (Exception error) {
          error.printStackTrace();
          failures.incrementAndGet();
        } finally {
          done.countDown();
        }
      }).start();
    }
    done.await();
    double elapsed = (System.nanoTime() - countFrom) / 1e9;
    if (failures.get() > 0) System.exit(1);
    print(elapsed, bytes);
    // Its threads are not all daemons.
    System.exit(0);
  }

  private static void awaitBroker(DefaultMQProducer producer, Message message) throws Exception {
    long until = System.currentTimeMillis() + LONGEST_START_MS;
    while (true) {
      try {
        if (producer.send(message).getSendStatus() == SendStatus.SEND_OK) return;
      } catch (Exception error) {
        if (System.currentTimeMillis() > until) throw error;
      }
      Thread.sleep(100);
    }
  }

  private void send(DefaultMQProducer producer, Message message, long countFrom, long until) throws Exception {
    while (true) {
      long before = System.nanoTime();
      if (before >= until) return;
      SendResult result = producer.send(message);
      if (result.getSendStatus() != SendStatus.SEND_OK) throw new IllegalStateException("a send was answered with " + result.getSendStatus());
      if (before >= countFrom) record(System.nanoTime() - before);
    }
  }

  private void record(long nanos) {
    int shift = Math.max(0, 63 - Long.numberOfLeadingZeros(nanos | 1) - STEP_BITS);
    int index = nanos < (1 << STEP_BITS) ? (int) nanos : ((shift + 1) << STEP_BITS) + (int) ((nanos >>> shift) & ((1 << STEP_BITS) - 1));
    counts.incrementAndGet(index);
    total.incrementAndGet();
    sum.addAndGet(nanos);
  }

  private double quantileUs(double quantile) {
    long wanted = Math.max(1, (long) Math.ceil(quantile * total.get()));
    long seen = 0;
    for (int index = 0; index < counts.length(); index++) {
      seen += counts.get(index);
      if (seen < wanted) continue;
      if (index < (1 << STEP_BITS)) return index / 1000.0;
      int shift = (index >> STEP_BITS) - 1;
      return ((((1L << STEP_BITS) + (index & ((1 << STEP_BITS) - 1)) + 1) << shift) - 1) / 1000.0;
    }
    return 0;
  }

  private void print(double seconds, int bytes) {
    StringBuilder percentiles = new StringBuilder();
    for (double percent : PLOTTED) {
      if (percentiles.length() > 0) percentiles.append(',');
      percentiles.append(String.format(Locale.ROOT, "[%s,%.1f]", percent, quantileUs(percent / 100)));
    }
    System.out.printf(Locale.ROOT,
        "{\"seconds\":%.4f,\"requests\":%d,\"records\":%d,\"bytes\":%d,\"mb_per_s\":%.2f,\"requests_per_s\":%.1f,\"records_per_s\":%.0f,\"mean_us\":%.1f,\"p50_us\":%.1f,"
            + "\"p95_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"percentiles\":[%s]}%n",
        seconds, total.get(), total.get(), total.get() * bytes, total.get() * bytes / seconds / 1e6, total.get() / seconds, total.get() / seconds, sum.get() / 1e3 / Math.max(1, total.get()),
        quantileUs(0.5), quantileUs(0.95), quantileUs(0.99), quantileUs(0.999), percentiles);
  }
}
