// Kafka Connect: its distributed worker.
import { javaToolsProgram } from '../support/java.js';
import { scenarioTests } from '../support/scenarios.js';

await scenarioTests('kafka-connect', await javaToolsProgram('ConnectScenarios'));
