// kafka-go: github.com/segmentio/kafka-go.
package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	. "sluice.test/clients/scenarios"
)

var codecs = []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd}

func background() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	time.AfterFunc(90*time.Second, cancel)
	return ctx
}

func client(bootstrap string) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(bootstrap), Timeout: 30 * time.Second}
}

func create(bootstrap, purpose string, partitions int, configs ...kafka.ConfigEntry) string {
	topic := Fresh(purpose)
	answer := Must1(client(bootstrap).CreateTopics(background(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}},
	}))
	Must(answer.Errors[topic])
	return topic
}

// toPartition balances to the partition that a message names.
var toPartition = kafka.BalancerFunc(func(m kafka.Message, _ ...int) int {
	if m.WriterData == nil {
		return 0
	}
	return m.WriterData.(int)
})

func writer(bootstrap, topic string) *kafka.Writer {
	return &kafka.Writer{Addr: kafka.TCP(bootstrap), Topic: topic, Balancer: toPartition, RequiredAcks: kafka.RequireAll, BatchTimeout: 5 * time.Millisecond}
}

func produce(bootstrap, topic string, partition int, values []string, change func(*kafka.Writer)) {
	w := writer(bootstrap, topic)
	defer w.Close()
	if change != nil {
		change(w)
	}
	var all []kafka.Message
	for _, value := range values {
		all = append(all, kafka.Message{Value: []byte(value), WriterData: partition})
	}
	Must(w.WriteMessages(background(), all...))
}

func reader(bootstrap, topic string, partition int, offset int64) *kafka.Reader {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: topic, Partition: partition, MaxBytes: 20_000_000, MaxWait: 100 * time.Millisecond})
	Must(r.SetOffset(offset))
	return r
}

func readAll(bootstrap, topic string, partition int, offset int64, count int) (all []kafka.Message) {
	r := reader(bootstrap, topic, partition, offset)
	defer r.Close()
	for ctx := background(); len(all) < count; {
		all = append(all, Must1(r.ReadMessage(ctx)))
	}
	return
}

func values(all []kafka.Message) (values []string) {
	for _, each := range all {
		values = append(values, string(each.Value))
	}
	return
}

func everyCodec(bootstrap string) {
	acks := map[string]kafka.RequiredAcks{"0": kafka.RequireNone, "1": kafka.RequireOne, "all": kafka.RequireAll}
	for _, codec := range codecs {
		topic := create(bootstrap, "codec", 1)
		for name, required := range acks {
			produce(bootstrap, topic, 0, Texts(300, name), func(w *kafka.Writer) { w.Compression, w.RequiredAcks = codec, required })
		}
		got := values(readAll(bootstrap, topic, 0, kafka.FirstOffset, 900))
		for name := range acks {
			Equal(WithPrefix(got, name+" "), Texts(300, name))
		}
	}
}

func exact(bootstrap string) {
	topic := create(bootstrap, "exact", 1, kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "11000000"})
	now := time.UnixMilli(time.Now().UnixMilli())
	sent := []kafka.Message{
		{Key: []byte("k"), Value: []byte("v"), Headers: []kafka.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte("2")}}, Time: now.Add(-time.Second)},
		{Value: []byte("v"), Time: now.Add(-time.Hour)}, {Key: []byte("k"), Time: now}, {Value: make([]byte, 10_000_000), Time: now}, {Value: make([]byte, 1_000_000), Time: now},
	}
	w := writer(bootstrap, topic)
	w.BatchBytes, w.BatchSize = 20_000_000, 1
	defer w.Close()
	Must(w.WriteMessages(background(), sent...))
	err := w.WriteMessages(background(), kafka.Message{Value: make([]byte, 12_000_000)})
	var each kafka.WriteErrors
	Check(errors.As(err, &each) && errors.Is(each[0], kafka.MessageSizeTooLarge), "%v", err)
	for i, got := range readAll(bootstrap, topic, 0, kafka.FirstOffset, len(sent)) {
		want := sent[i]
		Equal(got.Time.UnixMilli(), want.Time.UnixMilli())
		Check(string(got.Key) == string(want.Key) && string(got.Value) == string(want.Value) && (got.Value == nil) == (want.Value == nil), "record %d", i)
		Equal(fmt.Sprint(got.Headers), fmt.Sprint(want.Headers))
	}
}

func positions(bootstrap string) {
	topic := create(bootstrap, "where", 1)
	begin := time.UnixMilli(time.Now().UnixMilli() - 100_000)
	w := writer(bootstrap, topic)
	var all []kafka.Message
	for i := range 100 {
		all = append(all, kafka.Message{Value: []byte(strconv.Itoa(i)), Time: begin.Add(time.Duration(i) * time.Second)})
	}
	Must(w.WriteMessages(background(), all...))
	w.Close()
	Equal(readAll(bootstrap, topic, 0, 42, 1)[0].Offset, int64(42))
	r := reader(bootstrap, topic, 0, kafka.LastOffset)
	Must(r.SetOffsetAt(background(), begin.Add(41_500*time.Millisecond)))
	Equal(Must1(r.ReadMessage(background())).Offset, int64(42))
	Equal(Must1(r.ReadLag(background())), int64(57))
	r.Close()
	r = reader(bootstrap, topic, 0, kafka.LastOffset)
	defer r.Close()
	go func() {
		time.Sleep(300 * time.Millisecond)
		produce(bootstrap, topic, 0, []string{"new"}, nil)
	}()
	Equal(string(Must1(r.ReadMessage(background())).Value), "new")
}

// member is a reader of a group that runs by itself.
type member struct {
	reader *kafka.Reader
	cancel context.CancelFunc
	ended  chan struct{}
}

func join(bootstrap, group, topic string, all *Set) *member {
	m := &member{ended: make(chan struct{})}
	m.reader = kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{bootstrap}, GroupID: group, Topic: topic, StartOffset: kafka.FirstOffset, MaxWait: 100 * time.Millisecond, MaxAttempts: 100,
		SessionTimeout: 6 * time.Second, HeartbeatInterval: 300 * time.Millisecond, RebalanceTimeout: 6 * time.Second, JoinGroupBackoff: 500 * time.Millisecond,
		CommitInterval: 100 * time.Millisecond, WatchPartitionChanges: true, PartitionWatchInterval: 500 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			message, err := m.reader.FetchMessage(ctx)
			if err != nil {
				time.Sleep(50 * time.Millisecond)
				continue
			}
			all.Add(string(message.Value))
			m.reader.CommitMessages(ctx, message)
		}
	}()
	return m
}

func (m *member) stop() {
	m.cancel()
	<-m.ended
	Must(m.reader.Close())
}

func described(bootstrap, group string) kafka.DescribeGroupsResponseGroup {
	answer := Must1(client(bootstrap).DescribeGroups(background(), &kafka.DescribeGroupsRequest{GroupIDs: []string{group}}))
	Must(answer.Groups[0].Error)
	return answer.Groups[0]
}

func settled(bootstrap, group string, members int) {
	WaitFor("a settled group", func() bool {
		g := described(bootstrap, group)
		if g.GroupState != "Stable" || len(g.Members) != members {
			return false
		}
		for _, m := range g.Members {
			if len(m.MemberAssignments.Topics) == 0 || len(m.MemberAssignments.Topics[0].Partitions) != 6/members {
				return false
			}
		}
		return true
	})
}

func rebalance(bootstrap string) {
	topic, group, all := create(bootstrap, "rebalance", 6), Fresh("group"), &Set{}
	sent := 0
	send := func(salt string) {
		for partition := range 6 {
			produce(bootstrap, topic, partition, Texts(50, fmt.Sprintf("%s %d", salt, partition)), nil)
			sent += 50
		}
	}
	send("first")
	var members []*member
	for i := range 3 {
		members = append(members, join(bootstrap, group, topic, all))
		settled(bootstrap, group, i+1)
	}
	send("second")
	members[0].stop()
	settled(bootstrap, group, 2)
	send("third")
	WaitFor("all records", func() bool { return all.Len() == sent })
	members[1].stop()
	members[2].stop()
	offsets := Must1(client(bootstrap).OffsetFetch(background(), &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {0, 1, 2, 3, 4, 5}}}))
	for _, each := range offsets.Topics[topic] {
		Equal(each.CommittedOffset, int64(150))
	}
}

func survive(bootstrap string) {
	topic, all := create(bootstrap, "survive", 3), &Set{}
	m := join(bootstrap, Fresh("group"), topic, all)
	told := &Set{}
	w := writer(bootstrap, topic)
	w.Async, w.BatchTimeout, w.MaxAttempts, w.WriteBackoffMax = true, 2*time.Millisecond, 10_000, 200*time.Millisecond
	var mutex sync.Mutex
	var failure error
	w.Completion = func(messages []kafka.Message, err error) {
		if err != nil {
			mutex.Lock()
			failure = err
			mutex.Unlock()
		}
		for _, each := range messages {
			told.Add(string(each.Value))
		}
	}
	stop, ended, sent := make(chan struct{}), make(chan struct{}), 0
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			Must(w.WriteMessages(context.Background(), kafka.Message{Value: []byte(strconv.Itoa(sent)), WriterData: sent % 3}))
			sent++
			time.Sleep(200 * time.Microsecond)
		}
	}()
	ThroughEnds(told.Len, all.Len)
	close(stop)
	<-ended
	Must(w.Close())
	Must(failure)
	// It has no idempotence: what it repeats may be there twice, and nothing is lost.
	Equal(told.Len(), sent)
	WaitFor("all of it in the group", func() bool { return all.Len() == sent })
	m.stop()
}

func again(bootstrap string) {
	topic, all := create(bootstrap, "again", 1), &Set{}
	w := writer(bootstrap, topic)
	send := func(value string) error { return w.WriteMessages(background(), kafka.Message{Value: []byte(value)}) }
	Must(send("old"))
	m := join(bootstrap, Fresh("group"), topic, all)
	WaitFor("the old record", func() bool { return all.Len() == 1 })
	deleted := Must1(client(bootstrap).DeleteTopics(background(), &kafka.DeleteTopicsRequest{Topics: []string{topic}}))
	Must(deleted.Errors[topic])
	WaitFor("a topic made anew", func() bool {
		answer := Must1(client(bootstrap).CreateTopics(background(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}}))
		return answer.Errors[topic] == nil
	})
	WaitFor("a record in the new topic", func() bool { return send("new") == nil })
	count := 0
	WaitFor("a record of the new topic", func() bool { count++; send(strconv.Itoa(count)); return all.Len() > 1 })
	m.stop()
}

func wide(bootstrap string) {
	auto := Fresh("auto")
	made := writer(bootstrap, auto)
	made.AllowAutoTopicCreation = true
	WaitFor("a topic made by writing", func() bool { return made.WriteMessages(background(), kafka.Message{Value: []byte("x")}) == nil })
	made.Close()
	Equal(string(readAll(bootstrap, auto, 0, 0, 1)[0].Value), "x")
	topic := create(bootstrap, "wide", 1000)
	w := writer(bootstrap, topic)
	w.MaxAttempts = 100 // Apache Kafka tells of partitions before it can write to them.
	var sent []kafka.Message
	for i := range 3000 {
		sent = append(sent, kafka.Message{Value: []byte(strconv.Itoa(i)), WriterData: i % 1000})
	}
	Must(w.WriteMessages(background(), sent...))
	w.Close()
	answer := Must1(client(bootstrap).ListOffsets(background(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(0), kafka.LastOffsetOf(999), kafka.FirstOffsetOf(500)}}}))
	for _, each := range answer.Topics[topic] {
		Must(each.Error)
		Check(each.Partition == 500 || each.LastOffset == 3, "%+v", each)
	}
}

func administration(bootstrap string) {
	ctx, c := background(), client(bootstrap)
	topic := create(bootstrap, "admin", 1, kafka.ConfigEntry{ConfigName: "retention.ms", ConfigValue: "100000"})
	exists := Must1(c.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}}))
	Check(errors.Is(exists.Errors[topic], kafka.TopicAlreadyExists), "%v", exists.Errors[topic])
	Must(Must1(c.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 3}}})).Errors[topic])
	WaitFor("three partitions", func() bool {
		return len(Must1(c.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})).Topics[0].Partitions) == 3
	})
	value := func(name string) string {
		answer := Must1(c.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
			Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{name}}},
		}))
		return answer.Resources[0].ConfigEntries[0].ConfigValue
	}
	Equal(value("retention.ms"), "100000")
	altered := Must1(c.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "segment.bytes", Value: "2000000", ConfigOperation: kafka.ConfigOperationSet}},
	}}}))
	Must(altered.Resources[0].Error)
	Equal(value("segment.bytes"), "2000000")
	group, all := Fresh("group"), &Set{}
	produce(bootstrap, topic, 0, Texts(10, "x"), nil)
	m := join(bootstrap, group, topic, all)
	WaitFor("all records", func() bool { return all.Len() == 10 })
	Equal(len(described(bootstrap, group).Members), 1)
	m.stop()
	found := false
	for _, each := range Must1(c.ListGroups(ctx, &kafka.ListGroupsRequest{})).Groups {
		found = found || each.GroupID == group
	}
	Check(found, "the group is not listed")
	Must(Must1(c.OffsetDelete(ctx, &kafka.OffsetDeleteRequest{GroupID: group, Topics: map[string][]int{topic: {0}}})).Error)
	Must(Must1(c.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})).Errors[group])
	Must(Must1(c.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})).Errors[topic])
	gone := Must1(c.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})).Errors[topic]
	Check(errors.Is(gone, kafka.UnknownTopicOrPartition), "%v", gone)
}

func transactional(bootstrap string) {
	answer, err := client(bootstrap).InitProducerID(background(), &kafka.InitProducerIDRequest{TransactionalID: "t", TransactionTimeoutMs: 10_000})
	Must(err)
	Check(errors.Is(answer.Error, kafka.TransactionalIDAuthorizationFailed), "%v", answer.Error)
}

func main() {
	Add("every codec with acks 0, 1 and all", everyCodec)
	Add("keys, headers, tombstones, timestamps, records of 10 MB and one too large", exact)
	Add("positions: first, last, offset, time, lag", positions)
	Add("a group whose members come and go", rebalance)
	Add("clean restart and kill -9 under producer and group: nothing lost", survive)
	Add("a topic that is deleted and made anew under its clients", again)
	Add("auto-creation; 1,000 partitions", wide)
	Add("admin: topics, partitions, configs, groups", administration)
	AddButKafka("a transactional id is refused at once", transactional)
	Exchange(func(bootstrap, topic, codec string, values []string) {
		produce(bootstrap, topic, 0, values, func(w *kafka.Writer) {
			if codec != "none" {
				Must(w.Compression.UnmarshalText([]byte(codec)))
			}
		})
	}, func(bootstrap, topic string, count int) []string {
		return values(readAll(bootstrap, topic, 0, kafka.FirstOffset, count))
	})
	Main()
}
