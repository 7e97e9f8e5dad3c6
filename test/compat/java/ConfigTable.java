import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ConfigSynonym;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Prints what Apache Kafka knows of its settings as JSON: {"broker": [...], "topic": [...]}, each with name, type, default,
 * importance, range (as Kafka words it), "internal"; broker settings with their "mode" of update, topic settings with "synonyms".
 * With the argument "values" it reads [["topic" or "broker", name, text]...] and prints what each becomes: "= value" or the error.
 */
public final class ConfigTable {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        if (args.length > 0 && args[0].equals("values")) values();
        else table();
    }

    private static void values() throws Exception {
        ArrayNode all = JSON.createArrayNode();
        for (JsonNode each : JSON.readTree(System.in)) {
            all.add(outcome(each.get(0).asText(), each.get(1).asText(), each.get(2).asText()));
        }
        System.out.println(JSON.writeValueAsString(all));
    }

    private static String outcome(String kind, String name, String text) {
        try {
            boolean isTopic = kind.equals("topic");
            if (isTopic) LogConfig.validate(Map.of(name, text));
            ConfigKey key = (isTopic ? LogConfig.configDefCopy() : AbstractKafkaConfig.CONFIG_DEF).configKeys().get(name);
            Object value = new ConfigDef().define(key).parse(Map.of(name, text)).get(name);
            Object shown = key.type == ConfigDef.Type.PASSWORD ? ((Password) value).value() : value;
            return "= " + (shown instanceof String ? shown : ConfigDef.convertToString(shown, key.type));
        } catch (Exception refused) {
            return refused.getMessage();
        }
    }

    private static void table() throws Exception {
        ObjectNode all = JSON.createObjectNode();
        Map<String, String> modes = DynamicBrokerConfig.dynamicConfigUpdateModes();
        ArrayNode broker = all.putArray("broker");
        for (ConfigKey key : sorted(AbstractKafkaConfig.CONFIG_DEF)) {
            broker.add(describe(key).put("mode", modes.getOrDefault(key.name, "read-only")));
        }
        ArrayNode topic = all.putArray("topic");
        for (ConfigKey key : sorted(LogConfig.configDefCopy())) {
            ObjectNode each = describe(key);
            ArrayNode synonyms = each.putArray("synonyms");
            for (ConfigSynonym synonym : ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.getOrDefault(key.name, List.of())) {
                synonyms.add(synonym.name());
            }
            topic.add(each);
        }
        System.out.println(JSON.writeValueAsString(all));
    }

    private static boolean accepts(ConfigKey key, Object value) {
        try {
            if (key.validator != null) key.validator.ensureValid(key.name, value);
            return true;
        } catch (ConfigException refused) {
            return false;
        }
    }

    private static Iterable<ConfigKey> sorted(ConfigDef definition) {
        return new TreeMap<>(definition.configKeys()).values();
    }

    private static ObjectNode describe(ConfigKey key) {
        ObjectNode each = JSON.createObjectNode();
        each.put("name", key.name);
        each.put("type", key.type.name().toLowerCase(java.util.Locale.ROOT));
        each.put("default", key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null);
        each.put("importance", key.importance.name().toLowerCase(java.util.Locale.ROOT));
        each.put("range", key.validator == null ? null : key.validator.toString());
        each.put("internal", key.internalConfig);
        if (key.type == ConfigDef.Type.LIST) each.put("emptyAllowed", accepts(key, List.of()));
        return each;
    }
}
