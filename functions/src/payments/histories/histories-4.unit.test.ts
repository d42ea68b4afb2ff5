import { describeHistories } from '../../testing/histories/suite.ts';

describeHistories(4);
