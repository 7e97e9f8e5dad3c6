import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/** The admin client. Where a call answers per item, the answer is a map of item to result or {"error": class}. */
final class AdminDriver implements ClientDriver.Driven {
    private final Admin admin;

    AdminDriver(Properties config) {
        admin = Admin.create(config);
    }

    @Override
    public Object run(String op, JsonNode command) throws Exception {
        switch (op) {
            case "createTopics":
                return createTopics(command);
            case "deleteTopics":
                return each(admin.deleteTopics(ConsumerDriver.texts(command.get("topics"))).topicNameValues(), done -> true);
            case "deleteTopicsById":
                return each(admin.deleteTopics(TopicCollection.ofTopicIds(uuids(command.get("ids")))).topicIdValues(), done -> true);
            case "listTopics":
                return new TreeSet<>(admin.listTopics().names().get());
            case "describeTopics":
                return each(admin.describeTopics(ConsumerDriver.texts(command.get("topics"))).topicNameValues(), AdminDriver::plain);
            case "createPartitions":
                Map<String, NewPartitions> counts = new HashMap<>();
                command.get("counts").fields().forEachRemaining(
                    item -> counts.put(item.getKey(), NewPartitions.increaseTo(item.getValue().asInt())));
                return each(admin.createPartitions(counts).values(), done -> true);
            case "describeConfigs":
                return describeConfigs(command);
            case "alterConfigs":
                return alterConfigs(command);
            case "listConfigResources":
                Set<String> resources = new TreeSet<>();
                for (ConfigResource resource : admin.listConfigResources().all().get()) resources.add(resource.type() + " " + resource.name());
                return resources;
            case "deleteRecords":
                Map<TopicPartition, RecordsToDelete> before = new HashMap<>();
                command.get("before").fields().forEachRemaining(
                    item -> before.put(ConsumerDriver.partition(item.getKey()), RecordsToDelete.beforeOffset(item.getValue().asLong())));
                return each(admin.deleteRecords(before).lowWatermarks(), deleted -> deleted.lowWatermark());
            case "listOffsets":
                return listOffsets(command);
            case "describeCluster":
                return describeCluster();
            case "describeLogDirs":
                return describeLogDirs(command);
            case "describeFeatures":
                Map<String, Object> finalized = new TreeMap<>();
                admin.describeFeatures().featureMetadata().get().finalizedFeatures().forEach((name, range) -> finalized.put(name, range.maxVersionLevel()));
                return finalized;
            default:
                return groups(op, command);
        }
    }

    private Object groups(String op, JsonNode command) throws Exception {
        switch (op) {
            case "listGroups":
                Map<String, Object> listed = new TreeMap<>();
                admin.listGroups().all().get().forEach(group -> listed.put(group.groupId(), Map.of(
                    "type", group.type().map(Object::toString).orElse(""), "protocol", group.protocol(),
                    "state", group.groupState().map(Object::toString).orElse(""))));
                return listed;
            case "describeGroups":
                return each(admin.describeConsumerGroups(ConsumerDriver.texts(command.get("groups"))).describedGroups(), AdminDriver::plain);
            case "deleteGroups":
                return each(admin.deleteConsumerGroups(ConsumerDriver.texts(command.get("groups"))).deletedGroups(), done -> true);
            case "listGroupOffsets":
                Map<String, Object> offsets = new TreeMap<>();
                admin.listConsumerGroupOffsets(command.get("group").asText()).partitionsToOffsetAndMetadata().get()
                    .forEach((partition, offset) -> offsets.put(partition.toString(), offset == null ? null : offset.offset()));
                return offsets;
            case "alterGroupOffsets":
                admin.alterConsumerGroupOffsets(command.get("group").asText(), ConsumerDriver.offsets(command.get("offsets"))).all().get();
                return null;
            case "deleteGroupOffsets":
                admin.deleteConsumerGroupOffsets(command.get("group").asText(),
                    Set.copyOf(ConsumerDriver.partitions(command.get("partitions")))).all().get();
                return null;
            case "removeAllMembers":
                admin.removeMembersFromConsumerGroup(command.get("group").asText(), new RemoveMembersFromConsumerGroupOptions()).all().get();
                return null;
            case "close":
                admin.close();
                return null;
            default:
                throw new IllegalArgumentException("no admin operation " + op);
        }
    }

    private Object createTopics(JsonNode command) {
        List<NewTopic> topics = new ArrayList<>();
        for (JsonNode each : command.get("topics")) {
            Optional<Integer> partitions = each.has("partitions") ? Optional.of(each.get("partitions").asInt()) : Optional.empty();
            Optional<Short> replication = each.has("replication") ? Optional.of((short) each.get("replication").asInt()) : Optional.empty();
            NewTopic topic = new NewTopic(each.get("name").asText(), partitions, replication);
            Map<String, String> configs = new HashMap<>();
            each.path("configs").fields().forEachRemaining(config -> configs.put(config.getKey(), config.getValue().asText()));
            topics.add(topic.configs(configs));
        }
        var options = new org.apache.kafka.clients.admin.CreateTopicsOptions().validateOnly(command.path("validateOnly").asBoolean(false));
        var created = admin.createTopics(topics, options);
        return each(created.values(), done -> true);
    }

    private Object describeConfigs(JsonNode command) {
        ConfigResource resource = resource(command);
        return each(admin.describeConfigs(List.of(resource)).values(), config -> {
            Map<String, Object> entries = new TreeMap<>();
            for (ConfigEntry entry : config.entries()) {
                Map<String, Object> plain = new LinkedHashMap<>();
                plain.put("value", entry.value());
                plain.put("source", entry.source().toString());
                plain.put("readOnly", entry.isReadOnly());
                plain.put("sensitive", entry.isSensitive());
                plain.put("type", entry.type().toString());
                entries.put(entry.name(), plain);
            }
            return entries;
        });
    }

    private Object alterConfigs(JsonNode command) {
        List<AlterConfigOp> changes = new ArrayList<>();
        for (JsonNode change : command.get("changes")) {
            String value = change.get(2) == null || change.get(2).isNull() ? null : change.get(2).asText();
            changes.add(new AlterConfigOp(new ConfigEntry(change.get(1).asText(), value), AlterConfigOp.OpType.valueOf(change.get(0).asText())));
        }
        Map<ConfigResource, Collection<AlterConfigOp>> altered = Map.of(resource(command), changes);
        return each(admin.incrementalAlterConfigs(altered).values(), done -> true);
    }

    private static ConfigResource resource(JsonNode command) {
        return new ConfigResource(ConfigResource.Type.valueOf(command.get("type").asText()), command.get("name").asText());
    }

    private Object listOffsets(JsonNode command) throws Exception {
        Map<TopicPartition, OffsetSpec> asked = new LinkedHashMap<>();
        command.get("specs").fields().forEachRemaining(item -> asked.put(ConsumerDriver.partition(item.getKey()), spec(item.getValue())));
        var answer = admin.listOffsets(asked);
        Map<String, Object> result = new TreeMap<>();
        for (TopicPartition partition : asked.keySet()) {
            result.put(partition.toString(), one(answer.partitionResult(partition), info -> {
                Map<String, Object> plain = new LinkedHashMap<>();
                plain.put("offset", info.offset());
                plain.put("timestamp", info.timestamp());
                plain.put("leaderEpoch", info.leaderEpoch().orElse(-1));
                return plain;
            }));
        }
        return result;
    }

    private static OffsetSpec spec(JsonNode value) {
        if (value.isNumber()) return OffsetSpec.forTimestamp(value.asLong());
        switch (value.asText()) {
            case "earliest": return OffsetSpec.earliest();
            case "latest": return OffsetSpec.latest();
            case "maxTimestamp": return OffsetSpec.maxTimestamp();
            case "earliestLocal": return OffsetSpec.earliestLocal();
            case "latestTiered": return OffsetSpec.latestTiered();
            default: throw new IllegalArgumentException("no offset spec " + value);
        }
    }

    private Object describeCluster() throws Exception {
        DescribeClusterResult cluster = admin.describeCluster();
        List<String> nodes = new ArrayList<>();
        cluster.nodes().get().forEach(node -> nodes.add(node.id() + " " + node.host() + ":" + node.port()));
        return Map.of("nodes", nodes, "controller", cluster.controller().get().id(), "clusterId", cluster.clusterId().get());
    }

    private Object describeLogDirs(JsonNode command) throws Exception {
        Map<String, Object> directories = new TreeMap<>();
        for (Map<String, LogDirDescription> broker : admin.describeLogDirs(List.of(1)).allDescriptions().get().values()) {
            for (Map.Entry<String, LogDirDescription> directory : broker.entrySet()) {
                if (directory.getValue().error() != null) throw directory.getValue().error();
                Map<String, Object> replicas = new TreeMap<>();
                directory.getValue().replicaInfos().forEach((partition, replica) -> replicas.put(partition.toString(), replica.size()));
                directories.put(directory.getKey(), Map.of("replicas", replicas,
                    "totalBytes", directory.getValue().totalBytes().orElse(-1), "usableBytes", directory.getValue().usableBytes().orElse(-1)));
            }
        }
        return directories;
    }

    private static Map<String, Object> plain(TopicDescription topic) {
        List<Map<String, Object>> partitions = new ArrayList<>();
        topic.partitions().forEach(partition -> partitions.add(Map.of("partition", partition.partition(),
            "leader", partition.leader() == null ? -1 : partition.leader().id(),
            "replicas", partition.replicas().stream().map(node -> node.id()).toList(),
            "isr", partition.isr().stream().map(node -> node.id()).toList())));
        return Map.of("id", topic.topicId().toString(), "internal", topic.isInternal(), "partitions", partitions);
    }

    private static Map<String, Object> plain(ConsumerGroupDescription group) {
        List<Map<String, Object>> members = new ArrayList<>();
        group.members().forEach(member -> members.add(Map.of("clientId", member.clientId(), "host", member.host(),
            "instanceId", member.groupInstanceId().orElse(""), "memberId", member.consumerId(),
            "assignment", ConsumerDriver.names(member.assignment().topicPartitions()))));
        return Map.of("state", group.groupState().toString(), "type", group.type().toString(), "assignor", group.partitionAssignor(),
            "coordinator", group.coordinator().id(), "simple", group.isSimpleConsumerGroup(), "members", members);
    }

    private static List<Uuid> uuids(JsonNode ids) {
        return ConsumerDriver.texts(ids).stream().map(Uuid::fromString).toList();
    }

    private interface Plain<T> {
        Object of(T value) throws Exception;
    }

    private static <K, T> Map<String, Object> each(Map<K, KafkaFuture<T>> futures, Plain<T> plain) {
        Map<String, Object> result = new TreeMap<>();
        futures.forEach((key, future) -> result.put(key instanceof ConfigResource ? ((ConfigResource) key).name() : key.toString(), one(future, plain)));
        return result;
    }

    private static <T> Object one(KafkaFuture<T> future, Plain<T> plain) {
        try {
            return plain.of(future.get());
        } catch (ExecutionException failed) {
            return Map.of("error", failed.getCause().getClass().getSimpleName(), "message", String.valueOf(failed.getCause().getMessage()));
        } catch (Exception unexpected) {
            return Map.of("error", unexpected.getClass().getSimpleName(), "message", String.valueOf(unexpected.getMessage()));
        }
    }
}
