// aiokafka: the Python client for asyncio.
import { pythonProgram } from '../support/python.js';
import { scenarioTests } from '../support/scenarios.js';

await scenarioTests('aiokafka', await pythonProgram('aiokafka_client'));
