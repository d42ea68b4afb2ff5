import { describeWeeks } from '../../testing/weeks/weeks.ts';

describeWeeks(1, 4);
