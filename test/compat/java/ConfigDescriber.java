import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Prints the settings of a running broker as JSON, synonyms included: ConfigDescriber bootstrap (BROKER|TOPIC)=name...
 * gives {"BROKER=1": {setting: [value, source, readOnly, sensitive, type, [[name, value, source]...]]}}.
 */
public final class ConfigDescriber {
    public static void main(String[] args) throws Exception {
        Map<String, Object> all = new TreeMap<>();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            for (String name : Arrays.asList(args).subList(1, args.length)) {
                String[] parts = name.split("=", 2);
                ConfigResource resource = new ConfigResource(ConfigResource.Type.valueOf(parts[0]), parts[1]);
                DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true);
                Config config = admin.describeConfigs(List.of(resource), options).all().get().get(resource);
                Map<String, Object> entries = new TreeMap<>();
                for (ConfigEntry entry : config.entries()) entries.put(entry.name(), describe(entry));
                all.put(name, entries);
            }
        }
        System.out.println(new ObjectMapper().writeValueAsString(all));
    }

    private static Object[] describe(ConfigEntry entry) {
        Object[] synonyms = entry.synonyms().stream()
            .map(synonym -> new Object[] {synonym.name(), synonym.value(), synonym.source().name()})
            .toArray();
        return new Object[] {entry.value(), entry.source().name(), entry.isReadOnly(), entry.isSensitive(), entry.type().name(), synonyms};
    }
}
