import { describeWeeks } from '../../testing/weeks/weeks.ts';

describeWeeks(3, 4);
