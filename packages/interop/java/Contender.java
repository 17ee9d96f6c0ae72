import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.locks.Revoker;
import org.apache.curator.retry.ExponentialBackoffRetry;

/**
 * Stands in line by Apache Curator's locks, led by lines on standard input; the README has the commands.
 * Arguments: connect string, session timeout in ms, folder for records.
 */
public final class Contender {
    private static CuratorFramework client;
    private static Path folder;

    private final String id;
    /** Locks belong to the thread that acquired them: one contender, one thread. */
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final Map<String, Role> roles = new HashMap<>();
    private final Map<String, InterProcessReadWriteLock> readWriteLocks = new HashMap<>();

    /** Something that is held. */
    private interface Hold {
        String node() throws Exception;

        void release() throws Exception;
    }

    private interface Work {
        void run() throws Exception;
    }

    private static final class MutexHold implements Hold {
        private final InterProcessMutex mutex;

        MutexHold(InterProcessMutex mutex) throws Exception {
            this.mutex = mutex;
            mutex.acquire();
        }

        @Override
        public String node() throws Exception {
            // Public in some releases for some kinds, and everywhere for those who derive from it.
            Method getLockPath = InterProcessMutex.class.getDeclaredMethod("getLockPath");
            getLockPath.setAccessible(true);
            return (String) getLockPath.invoke(mutex);
        }

        @Override
        public void release() throws Exception {
            mutex.release();
        }
    }

    private static final class LeasesHold implements Hold {
        private final String path;
        private final InterProcessSemaphoreV2 semaphore;
        private final List<Lease> leases;

        LeasesHold(String path, int maximum, int count) throws Exception {
            this.path = path;
            semaphore = new InterProcessSemaphoreV2(client, path, maximum);
            Collection<Lease> acquired = semaphore.acquire(count);
            leases = new ArrayList<>(acquired);
        }

        @Override
        public String node() {
            return path + "/leases/" + leases.get(0).getNodeName();
        }

        @Override
        public void release() {
            semaphore.returnAll(leases);
        }
    }

    /** One kind of lock, of one contender, and when it was held. */
    private static final class Role {
        private final OutputStream records;
        private Hold hold;
        private String token;

        Role(String id, String kind) throws IOException {
            Path file = folder.resolve(id + "." + kind + ".jsonl");
            Files.createFile(file);
            // Unbuffered: what is written is with the system, and kill -9 takes nothing back.
            records = new FileOutputStream(file.toFile());
        }

        void acquire(Callable<Hold> waitFor) throws Exception {
            write("{\"what\":\"queued\",\"at\":\"" + System.nanoTime() + "\"}");
            hold = waitFor.call();
            long from = System.nanoTime();
            token = String.valueOf(client.checkExists().forPath(hold.node()).getCzxid());
            write("{\"what\":\"granted\",\"token\":\"" + token + "\",\"from\":\"" + from + "\"}");
        }

        void release() throws Exception {
            write("{\"what\":\"ended\",\"token\":\"" + token + "\",\"to\":\"" + System.nanoTime()
                    + "\",\"why\":\"released\"}");
            hold.release();
        }

        private void write(String line) throws IOException {
            records.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        }
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
                say("participants " + String.join(" ", participants(words[1])));
            } else if (words[0].equals("revoke")) {
                String first = participants(words[1]).iterator().next();
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

    private static Collection<String> participants(String path) throws Exception {
        return new InterProcessMutex(client, path).getParticipantNodes();
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private Contender(String id) {
        this.id = id;
    }

    private void obey(String[] words) {
        switch (words[0]) {
            case "acquire":
                inThread(() -> {
                    Role role = role(words[3]);
                    acquire(role, words[2], words[3], words.length > 4);
                    say("granted " + id + " " + role.hold.node());
                });
                break;
            case "release":
                inThread(() -> {
                    role(words[2]).release();
                    say("released " + id);
                });
                break;
            case "race":
                inThread(() -> {
                    int count = Integer.parseInt(words[4]);
                    for (int i = 0; i < count; i += 1) {
                        acquire(role(words[3]), words[2], words[3], false);
                        Thread.sleep(1);
                        role(words[3]).release();
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

    private Role role(String kind) throws IOException {
        if (!roles.containsKey(kind)) {
            roles.put(kind, new Role(id, kind));
        }
        return roles.get(kind);
    }

    private void acquire(Role role, String path, String kind, boolean revocable) throws Exception {
        String[] words = kind.split(":");
        role.acquire(() -> {
            switch (words[0]) {
                case "semaphore":
                    int count = words.length > 2 ? Integer.parseInt(words[2]) : 1;
                    return new LeasesHold(path, Integer.parseInt(words[1]), count);
                case "read":
                    return new MutexHold(readWriteLock(path).readLock());
                case "write":
                    return new MutexHold(readWriteLock(path).writeLock());
                default:
                    InterProcessMutex mutex = new InterProcessMutex(client, path);
                    if (revocable) {
                        mutex.makeRevocable(asked -> say("asked " + id));
                    }
                    return new MutexHold(mutex);
            }
        });
    }

    private InterProcessReadWriteLock readWriteLock(String path) {
        return readWriteLocks.computeIfAbsent(path, each -> new InterProcessReadWriteLock(client, each));
    }
}
