// Kafka Streams.
import { javaToolsProgram } from '../support/java.js';
import { scenarioTests } from '../support/scenarios.js';

await scenarioTests('kafka-streams', await javaToolsProgram('StreamsScenarios'));
