import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.Revoker;
import org.apache.curator.retry.ExponentialBackoffRetry;

/**
 * Stands in line by Apache Curator's InterProcessMutex, led by lines on standard input; the README has the commands.
 * Arguments: connect string, session timeout in ms, folder for records.
 */
public final class Contender {
    private static CuratorFramework client;
    private static Path folder;

    private final String id;
    /** A mutex belongs to the thread that acquired it: one contender, one thread. */
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final OutputStream records;
    private Mutex mutex;
    private String token;

    private static final class Mutex extends InterProcessMutex {
        Mutex(String path) {
            super(client, path);
        }

        String node() {
            return getLockPath();
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        folder = Path.of(args[2]);
        client = CuratorFrameworkFactory.builder()
                .connectString(args[0])
                .sessionTimeoutMs(Integer.parseInt(args[1]))
                .connectionTimeoutMs(15_000)
                .retryPolicy(new ExponentialBackoffRetry(100, 10, 1_000))
                .build();
        client.start();
        if (!client.blockUntilConnected(15, TimeUnit.SECONDS)) {
            throw new IOException("no connection to " + args[0]);
        }
        say("ready");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Map<String, Contender> contenders = new HashMap<>();
        for (String line = input.readLine(); line != null && !line.equals("quit"); line = input.readLine()) {
            String[] words = line.split(" ");
            if (words[0].equals("clock")) {
                say("clock " + System.nanoTime());
            } else if (words[0].equals("participants")) {
                say("participants " + String.join(" ", new Mutex(words[1]).getParticipantNodes()));
            } else if (words[0].equals("revoke")) {
                String first = new Mutex(words[1]).getParticipantNodes().iterator().next();
                Revoker.attemptRevoke(client, first);
                say("revoked " + first);
            } else {
                if (!contenders.containsKey(words[1])) {
                    contenders.put(words[1], new Contender(words[1]));
                }
                contenders.get(words[1]).obey(words);
            }
        }
        client.close();
        System.exit(0);
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private Contender(String id) throws IOException {
        this.id = id;
        Path file = folder.resolve(id + ".jsonl");
        Files.createFile(file);
        // Unbuffered: what is written is with the system, and kill -9 takes nothing back.
        records = new FileOutputStream(file.toFile());
    }

    private void obey(String[] words) {
        switch (words[0]) {
            case "acquire":
                inThread(() -> {
                    acquire(words[2], words.length > 3);
                    say("granted " + id + " " + mutex.node());
                });
                break;
            case "release":
                inThread(() -> {
                    release();
                    say("released " + id);
                });
                break;
            case "race":
                inThread(() -> {
                    int count = Integer.parseInt(words[3]);
                    for (int i = 0; i < count; i += 1) {
                        acquire(words[2], false);
                        Thread.sleep(1);
                        release();
                    }
                    say("raced " + id);
                });
                break;
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    private void inThread(Work work) {
        Callable<Void> call = () -> {
            try {
                work.run();
            } catch (Exception error) {
                error.printStackTrace();
                say("failed " + id + " " + error);
            }
            return null;
        };
        thread.submit(call);
    }

    private void acquire(String path, boolean revocable) throws Exception {
        mutex = new Mutex(path);
        if (revocable) {
            mutex.makeRevocable(asked -> say("asked " + id));
        }
        write("{\"what\":\"queued\",\"at\":\"" + System.nanoTime() + "\"}");
        mutex.acquire();
        long from = System.nanoTime();
        token = String.valueOf(client.checkExists().forPath(mutex.node()).getCzxid());
        write("{\"what\":\"granted\",\"token\":\"" + token + "\",\"from\":\"" + from + "\"}");
    }

    private void release() throws Exception {
        write("{\"what\":\"ended\",\"token\":\"" + token + "\",\"to\":\"" + System.nanoTime()
                + "\",\"why\":\"released\"}");
        mutex.release();
    }

    private void write(String line) throws IOException {
        records.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
