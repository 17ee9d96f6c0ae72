import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.retry.ExponentialBackoffRetry;

/** Meets others at Apache Curator's barriers and in its groups, led by lines on standard input. */
public final class Assembly {
    private interface Work {
        String run() throws Exception;
    }

    private static CuratorFramework client;

    public static void main(String[] args) throws Exception {
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
        Map<String, DistributedDoubleBarrier> barriers = new HashMap<>();
        Map<String, GroupMember> members = new HashMap<>();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null && !line.equals("quit"); line = input.readLine()) {
            String[] words = line.split(" ");
            String id = words[1];
            switch (words[0]) {
                case "enter":
                    barriers.put(id, new DistributedDoubleBarrier(client, words[2], Integer.parseInt(words[3])));
                    inThread(() -> "entered " + id + " " + barriers.get(id).enter(30, TimeUnit.SECONDS));
                    break;
                case "leave":
                    inThread(() -> "left " + id + " " + barriers.get(id).leave(30, TimeUnit.SECONDS));
                    break;
                case "set":
                    new DistributedBarrier(client, words[2]).setBarrier();
                    say("set " + id);
                    break;
                case "remove":
                    new DistributedBarrier(client, words[2]).removeBarrier();
                    say("removed " + id);
                    break;
                case "wait":
                    inThread(() -> "waited " + id + " " + new DistributedBarrier(client, words[2]).waitOnBarrier(30, TimeUnit.SECONDS));
                    break;
                case "join":
                    members.put(id, new GroupMember(client, words[2], id, bytes(words[3])));
                    members.get(id).start();
                    say("joined " + id);
                    break;
                case "say":
                    members.get(id).setThisData(bytes(words[2]));
                    say("said " + id);
                    break;
                case "members":
                    say("members " + id + " " + new TreeMap<>(members.get(id).getCurrentMembers()).entrySet().stream()
                            .map(entry -> entry.getKey() + "=" + new String(entry.getValue(), StandardCharsets.UTF_8))
                            .collect(Collectors.joining(",")));
                    break;
                case "depart":
                    members.get(id).close();
                    say("departed " + id);
                    break;
                default:
                    throw new IllegalArgumentException(words[0]);
            }
        }
        client.close();
        System.exit(0);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void inThread(Work work) {
        Thread thread = new Thread(() -> {
            try {
                say(work.run());
            } catch (Exception error) {
                error.printStackTrace();
                say("failed " + error);
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
