import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.BackgroundCallback;
import org.apache.curator.framework.api.CuratorWatcher;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.zookeeper.CreateMode;

/** Apache Curator, led by lines {@code WORKLOAD PATH COUNT WINDOW}; each is answered by {@code done CPU WALL P50}, in microseconds. */
public final class Driver {
    private static final byte[] DATA = new byte[100];
    private static final List<CuratorFramework> contenders = new ArrayList<>();
    private static String connectString;
    private static CuratorFramework client;

    private interface Call {
        void make(int index, BackgroundCallback done) throws Exception;
    }

    private static void pump(int count, int window, Call call) throws Exception {
        Semaphore free = new Semaphore(window);
        AtomicReference<String> failure = new AtomicReference<>();
        BackgroundCallback done = (framework, event) -> {
            if (event.getResultCode() != 0) {
                failure.set(event.toString());
            }
            free.release();
        };
        for (int i = 0; i < count; i++) {
            free.acquire();
            call.make(i, done);
        }
        free.acquire(window);
        if (failure.get() != null) {
            throw new IllegalStateException(failure.get());
        }
    }

    private static long run(String workload, String path, int count, int window) throws Exception {
        switch (workload) {
            case "get" -> {
                if (window == 1) {
                    return oneByOne(path, count);
                }
                pump(count, window, (i, done) -> client.getData().inBackground(done).forPath(path));
            }
            case "set" -> pump(count, window, (i, done) -> client.setData().inBackground(done).forPath(path, DATA));
            case "children" -> pump(count, window, (i, done) -> client.getChildren().inBackground(done).forPath(path));
            case "create-delete" -> pump(count, window, (i, done) -> {
                String child = path + "/n" + i;
                BackgroundCallback created = (framework, event) -> {
                    if (event.getResultCode() == 0) {
                        client.delete().inBackground(done).forPath(child);
                    } else {
                        done.processResult(framework, event);
                    }
                };
                client.create().inBackground(created).forPath(child, DATA);
            });
            case "multi" -> pump(count, window, (i, done) -> {
                List<CuratorOp> operations = new ArrayList<>();
                for (int j = 0; j < 50; j++) {
                    operations.add(client.transactionOp().create().withMode(CreateMode.PERSISTENT_SEQUENTIAL)
                            .forPath(path + "/n", DATA));
                }
                client.transaction().inBackground(done).forOperations(operations);
            });
            case "set-watches" -> {
                CuratorWatcher watcher = event -> { };
                Semaphore free = new Semaphore(window);
                for (int i = 0; i < count; i++) {
                    free.acquire();
                    client.checkExists().usingWatcher(watcher)
                            .inBackground((framework, event) -> free.release()).forPath(path + "/n" + i);
                }
                free.acquire(window);
            }
            case "lock" -> lock(path, count, window);
            case "cache" -> cache(path, count);
            case "watch" -> {
                CountDownLatch events = new CountDownLatch(count);
                CuratorWatcher watcher = event -> events.countDown();
                pump(count, window, (i, done) ->
                        client.getData().usingWatcher(watcher).inBackground(done).forPath(path + "/n" + i));
                System.out.println("armed");
                if (!events.await(60, TimeUnit.SECONDS)) {
                    throw new IllegalStateException(events.getCount() + " events have not come");
                }
            }
            default -> throw new IllegalArgumentException(workload);
        }
        return 0;
    }

    private static void cache(String path, int count) throws Exception {
        CountDownLatch initialized = new CountDownLatch(1);
        try (CuratorCache cache = CuratorCache.build(client, path)) {
            cache.listenable().addListener(
                    CuratorCacheListener.builder().forInitialized(initialized::countDown).build());
            cache.start();
            if (!initialized.await(60, TimeUnit.SECONDS) || cache.size() != count) {
                throw new IllegalStateException(cache.size() + " of " + count + " znodes are in the cache");
            }
        }
    }

    private static void lock(String path, int count, int window) throws Exception {
        while (contenders.size() < window) {
            contenders.add(connect(connectString));
        }
        ExecutorService threads = Executors.newFixedThreadPool(window);
        List<Future<Void>> work = new ArrayList<>();
        for (CuratorFramework contender : contenders.subList(0, window)) {
            work.add(threads.submit(() -> {
                InterProcessMutex mutex = new InterProcessMutex(contender, path);
                for (int i = 0; i < count / window; i++) {
                    mutex.acquire();
                    mutex.release();
                }
                return null;
            }));
        }
        for (Future<Void> each : work) {
            each.get();
        }
        threads.shutdown();
    }

    private static CuratorFramework connect(String connectString) throws Exception {
        CuratorFramework made = CuratorFrameworkFactory.newClient(connectString, new ExponentialBackoffRetry(100, 3));
        made.start();
        if (!made.blockUntilConnected(15, TimeUnit.SECONDS)) {
            throw new IllegalStateException("no connection to " + connectString);
        }
        return made;
    }

    private static long oneByOne(String path, int count) throws Exception {
        long[] took = new long[count];
        for (int i = 0; i < count; i++) {
            long began = System.nanoTime();
            client.getData().forPath(path);
            took[i] = System.nanoTime() - began;
        }
        Arrays.sort(took);
        return took[count / 2];
    }

    public static void main(String[] args) throws Exception {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        connectString = args[0];
        client = connect(connectString);
        contenders.add(client);
        System.out.println("ready");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split(" ");
            long cpu = system.getProcessCpuTime();
            long began = System.nanoTime();
            long p50 = run(words[0], words[1], Integer.parseInt(words[2]), Integer.parseInt(words[3]));
            long wall = System.nanoTime() - began;
            cpu = system.getProcessCpuTime() - cpu;
            System.out.println("done " + cpu / 1_000.0 + " " + wall / 1_000.0 + " " + p50 / 1_000.0);
        }
        contenders.forEach(CuratorFramework::close);
    }
}
