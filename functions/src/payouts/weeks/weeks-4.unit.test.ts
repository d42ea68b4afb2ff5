import { describeWeeks } from '../../testing/weeks/weeks.ts';

describeWeeks(4, 4);
