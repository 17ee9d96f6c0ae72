import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.curator.x.discovery.ServiceCache;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceType;
import org.apache.curator.x.discovery.UriSpec;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;

/** Registers and finds instances by Curator's ServiceDiscovery, led by lines on standard input. */
public final class Discovery {
    /** What Java calls a bean. */
    public static final class Meta {
        public String zone = "a";
        public int weight = 3;
        public Long limit = 7L;
        public double load = 5.0;
        public String[] tags = {"x"};
    }

    private static final Map<String, ServiceDiscovery<Object>> discoveries = new HashMap<>();
    private static final TreeMap<String, ServiceCache<Object>> caches = new TreeMap<>();
    private static CuratorFramework client;

    public static void main(String[] args) throws Exception {
        // Java 17 runs a source file without telling Jackson where its classes are.
        Thread.currentThread().setContextClassLoader(Discovery.class.getClassLoader());
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
        System.out.println("ready");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null && !line.equals("quit"); line = input.readLine()) {
            try {
                System.out.println(obey(line.split(" ")));
            } catch (Exception error) {
                error.printStackTrace();
                System.out.println("failed " + line + " - " + error);
            }
            System.out.flush();
        }
        client.close();
        System.exit(0);
    }

    private static String obey(String[] words) throws Exception {
        switch (words[0]) {
            case "register":
                discovery(words[1], words[2]).registerService(instance(words[3], words[4], words[5], words[6]));
                return "registered";
            case "unregister":
                discovery(words[1], words[2]).unregisterService(instance(words[3], words[4], words[5], words[6]));
                return "unregistered";
            case "find":
                return ("found " + found(words[1], words[2], words[3])).trim();
            case "observe":
                observe(words[1], Integer.parseInt(words[2]));
                return "observing";
            case "seen":
                return "seen " + seen();
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    /** The instances of a service as this side writes them, in order of id. */
    private static String found(String base, String mode, String name) throws Exception {
        TreeMap<String, String> texts = new TreeMap<>();
        for (ServiceInstance<Object> each : discovery(base, mode).queryForInstances(name)) {
            texts.put(each.getId(), Base64.getEncoder().encodeToString(serializer(mode).serialize(each)));
        }
        return String.join(" ", texts.values());
    }

    private static void observe(String base, int services) throws Exception {
        for (int i = 0; i < services; i += 1) {
            ServiceCache<Object> cache =
                    discovery(base, "old").serviceCacheBuilder().name("svc" + i).build();
            cache.start();
            caches.put("svc" + i, cache);
        }
    }

    /** The ids of all that the caches know, service by service. */
    private static String seen() {
        return caches.entrySet().stream()
                .map(each -> each.getKey() + ":"
                        + each.getValue().getInstances().stream()
                                .map(ServiceInstance::getId)
                                .sorted()
                                .collect(Collectors.joining(",")))
                .collect(Collectors.joining(";"));
    }

    private static ServiceDiscovery<Object> discovery(String base, String mode) throws Exception {
        String key = base + " " + mode;
        if (!discoveries.containsKey(key)) {
            ServiceDiscovery<Object> made = ServiceDiscoveryBuilder.builder(Object.class)
                    .client(client)
                    .basePath(base)
                    .serializer(serializer(mode))
                    .build();
            made.start();
            discoveries.put(key, made);
        }
        return discoveries.get(key);
    }

    private static JsonInstanceSerializer<Object> serializer(String mode) {
        return new JsonInstanceSerializer<>(Object.class, mode.equals("old"));
    }

    private static ServiceInstance<Object> instance(String name, String id, String type, String payload) {
        UriSpec uriSpec = payload.equals("none") ? null : new UriSpec("{scheme}://{address}:{port}");
        return new ServiceInstance<>(
                name, id, "10.0.0.1", 8080, null, payload(payload), 1_700_000_000_000L, ServiceType.valueOf(type), uriSpec);
    }

    private static Object payload(String kind) {
        switch (kind) {
            case "none":
                return null;
            case "text":
                return "h\u00e9llo \b\t\n\f\r\"\\/\u0000\u001f\u007f\u2028\uD83D\uDE00";
            case "integer":
                return 7;
            case "boolean":
                return true;
            case "long":
                return 1L << 62;
            case "double":
                return 0.1;
            case "large-double":
                return 1.5E21;
            case "small-double":
                return 1.25E-7;
            case "whole-double":
                return 5.0;
            case "nan":
                return Double.NaN;
            case "bean":
                return new Meta();
            case "map":
                return map(new LinkedHashMap<>());
            case "hash-map":
                return map(new HashMap<>());
            case "list":
                return new ArrayList<>(Arrays.asList("q", 1, 2L, 2.5, null, true));
            case "set":
                return new HashSet<>(Arrays.asList("q"));
            case "float":
                return 2.5f;
            case "decimal":
                return new BigDecimal("1.50");
            case "date":
                return new Date(0);
            case "uuid":
                return new UUID(0, 1);
            case "enum":
                return TimeUnit.DAYS;
            case "strings":
                return new String[] {"q"};
            case "ints":
                return new int[] {1, 2};
            case "bytes":
                return new byte[] {1, 2, -1};
            default:
                throw new IllegalArgumentException(kind);
        }
    }

    private static Map<String, Object> map(Map<String, Object> map) {
        map.put("k", "v");
        map.put("n", 1);
        map.put("l", 1L << 40);
        map.put("d", 2.5);
        map.put("list", List.of("x", List.of()));
        map.put("none", null);
        return map;
    }
}
