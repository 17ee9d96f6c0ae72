import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.leader.Participant;
import org.apache.curator.retry.ExponentialBackoffRetry;

/**
 * Stands for leadership by Apache Curator's LeaderLatch and LeaderSelector, led by lines on standard input; the README
 * has the commands. Arguments: connect string, session timeout in ms, folder for records.
 */
public final class Candidate {
    private static CuratorFramework client;
    private static Path folder;

    private final String id;
    private final OutputStream records;
    private long terms;
    private LeaderLatch latch;
    private LeaderSelector selector;
    private CountDownLatch termIsOver;

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
        Map<String, Candidate> candidates = new HashMap<>();
        for (String line = input.readLine(); line != null && !line.equals("quit"); line = input.readLine()) {
            String[] words = line.split(" ");
            if (!candidates.containsKey(words[1])) {
                candidates.put(words[1], new Candidate(words[1]));
            }
            try {
                candidates.get(words[1]).obey(words);
            } catch (Exception error) {
                error.printStackTrace();
                say("failed " + line + " - " + error);
            }
        }
        client.close();
        System.exit(0);
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private Candidate(String id) throws IOException {
        this.id = id;
        Path file = folder.resolve(id + ".jsonl");
        Files.createFile(file);
        records = new FileOutputStream(file.toFile());
    }

    private void obey(String[] words) throws Exception {
        switch (words[0]) {
            case "latch":
                latch = new LeaderLatch(client, words[2], id);
                latch.addListener(new LeaderLatchListener() {
                    @Override
                    public void isLeader() {
                        began();
                    }

                    @Override
                    public void notLeader() {
                        ended();
                    }
                });
                latch.start();
                say("stands " + id);
                break;
            case "select":
                selector = new LeaderSelector(client, words[2], new LeaderSelectorListenerAdapter() {
                    @Override
                    public void takeLeadership(CuratorFramework ignored) throws Exception {
                        CountDownLatch over = new CountDownLatch(1);
                        synchronized (Candidate.this) {
                            termIsOver = over;
                        }
                        began();
                        try {
                            over.await();
                        } finally {
                            ended();
                        }
                    }
                });
                selector.setId(id);
                selector.autoRequeue();
                selector.start();
                say("stands " + id);
                break;
            case "yield":
                synchronized (this) {
                    termIsOver.countDown();
                }
                break;
            case "participants":
                Collection<Participant> all = latch != null ? latch.getParticipants() : selector.getParticipants();
                List<String> found = new ArrayList<>();
                for (Participant each : all) {
                    found.add(each.getId() + (each.isLeader() ? "*" : ""));
                }
                say("participants " + id + " " + String.join(" ", found));
                break;
            case "leader":
                Participant leader = latch != null ? latch.getLeader() : selector.getLeader();
                say("leader " + id + " " + leader.getId());
                break;
            case "close":
                if (latch != null) {
                    // It deletes its znode before it tells: written down before that.
                    if (latch.hasLeadership()) {
                        ended();
                    }
                    latch.close(LeaderLatch.CloseMode.SILENT);
                } else {
                    if (termIsOver != null) {
                        termIsOver.countDown();
                    }
                    selector.close();
                }
                say("closed " + id);
                break;
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    /** The token is a number of its own: Curator has none. */
    private synchronized void began() {
        terms += 1;
        write("{\"what\":\"granted\",\"token\":\"" + terms + "\",\"from\":\"" + System.nanoTime() + "\"}");
        say("leads " + id);
    }

    private synchronized void ended() {
        write("{\"what\":\"ended\",\"token\":\"" + terms + "\",\"to\":\"" + System.nanoTime() + "\",\"why\":\"lost\"}");
        say("led " + id);
    }

    private void write(String line) {
        try {
            records.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }
}
